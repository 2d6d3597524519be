// ip=, vlan=, mtu= and route= of the command line, applied to the interfaces.
// SPDX-License-Identifier: MIT
#include "words.h"

#include "../device/device.h"
#include "../device/route.h"
#include "configuration.h"
#include "option.h"

#include <baremetal/log.h>
#include <baremetal/option.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/netif.h"

BM_OPTION(ip, "[INTERFACE:]dhcp (default), ADDRESS/PREFIX[,GATEWAY] or off");
BM_OPTION(vlan, "[INTERFACE:]NUMBER: the network is that VLAN of the device");
BM_OPTION(mtu, "[INTERFACE:]BYTES");
BM_OPTION(route, "NETWORK/PREFIX,GATEWAY");

enum { VALUE_SIZE = 128, ROUTES_MAX = 8 };

// What a word without a name means: the first device, or its first VLAN.
static struct bm_net_interface *main_of(struct bm_net_interface *device)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        if (bm_net_interfaces[i]->vlan && bm_net_interfaces[i]->device == device->device)
            return bm_net_interfaces[i];
    return device;
}

static struct bm_net_interface *interface_of(const struct bm_net_which *which)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        if (which->is_mac ? memcmp(which->mac, interface->device->mac, sizeof which->mac) == 0
                          : !which->name[0])
            return main_of(interface);
        if (!which->is_mac && strcmp(which->name, interface->name) == 0)
            return interface;
    }
    return NULL;
}

static const char *vlan_apply(struct bm_net_interface *interface, const char *text)
{
    unsigned vlan;
    const char *wrong = bm_net_option_vlan(text, &vlan);
    struct bm_net_interface *device = interface->netqueue->stack_state;
    for (interface = device; interface && !wrong; interface = interface->vlans)
        if (interface->vlan == vlan)
            return "it is there twice";
    return wrong                                                                ? wrong
           : bm_net_vlan_add(device, vlan, sizeof(struct bm_net_configuration)) ? NULL
                                                                                : "there is no room for it";
}

static const char *mtu_apply(struct bm_net_interface *interface, const char *text)
{
    unsigned mtu;
    const char *wrong = bm_net_option_mtu(text, interface->mtu, &mtu);
    if (!wrong)
        bm_net_interface_mtu_choose(interface, mtu);
    return wrong;
}

static const char *ip_apply(struct bm_net_interface *interface, const char *text)
{
    static uint8_t next_rank; // counted down from 255
    if (!interface->rank)
        interface->rank = --next_rank;
    return bm_net_option_ip(text, &bm_net_configuration_of(interface)->ip);
}

static const struct word {
    const char *key, *advice;
    const char *(*apply)(struct bm_net_interface *interface, const char *text);
} words[] = {
    {"vlan", "ignored (write vlan=5 or vlan=eth1:5)", vlan_apply},
    {"mtu",
     "ignored (write mtu=1400 or mtu=eth1:9000; QEMU: -device virtio-net-pci,host_mtu=9000,mrg_rxbuf=on)",
     mtu_apply},
    {"ip",
     "ignored; DHCP, if nothing else is said (write ip=dhcp, ip=10.0.2.15/24,10.0.2.2, ip=2001:db8::5/64 or "
     "ip=off; "
     "for another device ip=eth1:dhcp, or its MAC address in place of eth1)",
     ip_apply},
};

static void word_apply(const struct word *word)
{
    char value[VALUE_SIZE];
    int length;
    for (unsigned i = 0; (length = bm_option_get_nth(word->key, i, value, sizeof value)) >= 0; i++) {
        struct bm_net_which which;
        const char *text = bm_net_option_which(value, &which), *wrong = "there is no such network device";
        struct bm_net_interface *interface = interface_of(&which);
        if (interface)
            wrong = length < VALUE_SIZE ? word->apply(interface, text) : "it is too long";
        if (wrong)
            bm_log_error("net", "%s=%s: %s; %s", word->key, value, wrong, word->advice);
        else if (text != value)
            bm_net_configuration_of(interface)->ip.is_named = true;
    }
}

static void routes_apply(void)
{
    char value[VALUE_SIZE];
    struct bm_net_route routes[ROUTES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; bm_option_get_nth("route", i, value, sizeof value) >= 0; i++) {
        const char *wrong =
            count == ROUTES_MAX ? "there are more than 8 routes" : bm_net_option_route(value, &routes[count]);
        if (wrong)
            bm_log_error("net", "route=%s: %s; ignored (write route=10.1.0.0/16,10.0.2.9)", value, wrong);
        else
            count++;
    }
    bm_net_routes_set(NULL, routes, count);
}

void bm_net_words_apply(void)
{
    BM_NET_ASSERT_LOCKED();
    if (!bm_net_interface_count)
        return;
    for (const struct word *word = words; word < words + sizeof words / sizeof *words; word++)
        word_apply(word);
    routes_apply();
}

void bm_net_ip6_static(struct bm_net_interface *interface)
{
    ip6_addr_t address = {0};
    struct bm_net_configuration *configuration = bm_net_configuration_of(interface);
    const struct bm_net_ip *ip = &configuration->ip;
    if (!ip->has_ip6)
        return;
    memcpy(address.addr, ip->address6, sizeof address.addr);
    memcpy(configuration->gateway6.addr, ip->gateway6, sizeof configuration->gateway6.addr);
    ip6_addr_assign_zone(&configuration->gateway6, IP6_UNICAST, &interface->netif);
    if (netif_add_ip6_address(&interface->netif, &address, NULL) != ERR_OK)
        bm_log_error("net", "%s: no room for the IPv6 address of ip=", interface->name);
}

// Whom an interface hands an IPv6 packet to whose destination is not on its link; NULL: a router that has
// advertised itself. Called under the core lock.
const ip6_addr_t *bm_net_ip6_gateway(const struct netif *netif)
{
    const struct bm_net_configuration *configuration = netif->state;
    return configuration && !ip6_addr_isany_val(configuration->gateway6) ? &configuration->gateway6 : NULL;
}
