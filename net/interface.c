// Network devices become lwIP's interfaces: eth0, eth1 …
// SPDX-License-Identifier: MIT
#include "interface.h"

#include "net.h"

#include <baremetal/log.h>
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "netif/ethernet.h"

enum { MTU_MAX = 1500, MTU_LEAST = 576 };

struct bm_net_interface *bm_net_interfaces[BM_NETDEV_MAX];
unsigned bm_net_interface_count;

static void link_apply(struct bm_net_interface *interface)
{
    if (interface->device->link_up)
        netif_set_link_up(&interface->netif);
    else
        netif_set_link_down(&interface->netif);
}

static void link_changed(struct bm_netdev *device)
{
    struct bm_net_interface *interface = device->stack_state;
    bm_net_lock();
    link_apply(interface);
    bm_net_unlock();
    bm_log(device->link_up ? BM_LOG_INFO : BM_LOG_WARN, "net", "%s: link is %s", interface->name,
           device->link_up ? "up" : "down");
}

static const struct bm_netdev_stack stack = {
    .input = bm_net_input, .sent = bm_net_sent, .link_changed = link_changed};

// netif_add's callback.
static err_t interface_init(struct netif *netif)
{
    struct bm_net_interface *interface = netif->state;
    const struct bm_netdev *device = interface->device;
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->mtu = device->mtu < MTU_LEAST || device->mtu > MTU_MAX ? MTU_MAX : device->mtu;
    netif->hwaddr_len = sizeof device->mac;
    memcpy(netif->hwaddr, device->mac, sizeof device->mac);
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = bm_net_link_output;
    if (device->capabilities & BM_NETDEV_CHECKSUM_TX)
        netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
    return ERR_OK;
}

void bm_net_interface_add(struct bm_netdev *device, unsigned number)
{
    struct bm_net_interface *interface = bm_net_allocate_zeroed(1, sizeof *interface);
    if (!interface || number >= BM_NETDEV_MAX) {
        bm_log_error("net", "no memory for the interface of %s", device->driver);
        bm_net_free(interface);
        return;
    }
    interface->device = device;
    bm_format(interface->name, sizeof interface->name, "eth%u", number);
    bm_net_lock();
    netif_add(&interface->netif, NULL, NULL, NULL, interface, interface_init, ethernet_input);
    netif_create_ip6_linklocal_address(&interface->netif, 1);
    netif_set_ip6_autoconfig_enabled(&interface->netif, 1);
    bm_net_interfaces[bm_net_interface_count++] = interface;
    device->stack_state = interface;
    link_apply(interface);
    if (!netif_default)
        netif_set_default(&interface->netif);
    bm_net_unlock();
    __atomic_store_n(&device->stack, &stack, __ATOMIC_RELEASE);
}

void bm_net_interface_trust(void)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        bm_net_interfaces[i]->netif.chksum_flags &=
            (u16_t) ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP | NETIF_CHECKSUM_CHECK_ICMP |
                      NETIF_CHECKSUM_CHECK_ICMP6);
}

const char *bm_net_interface_name(const struct netif *netif)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        if (&bm_net_interfaces[i]->netif == netif)
            return bm_net_interfaces[i]->name;
    return "lo";
}

struct netif *bm_net_interface_find(const char *name)
{
    struct netif *netif;
    NETIF_FOREACH(netif)
    if (strcmp(bm_net_interface_name(netif), name) == 0)
        return netif;
    return NULL;
}
