// Network devices become lwIP's interfaces: eth0, eth1 …
// SPDX-License-Identifier: MIT
#include "interface.h"

#include "../lwip/memory.h"
#include "device.h"
#include "hooks.h"

#include <baremetal/log.h>
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "netif/ethernet.h"

enum { MTU_USUAL = 1500, MTU_MIN = 576, MTU6_MIN = 1280, TCP_HEADERS = 40, MSS_MAX = 16000 };

struct bm_net_interface *bm_net_interfaces[INTERFACES_MAX];
unsigned bm_net_interface_count;
u16_t bm_net_mss = TCP_MSS;

static void link_apply(struct bm_net_interface *interface)
{
    for (; interface; interface = interface->vlans) {
        if (interface->device->link_up) {
            netif_set_link_up(&interface->netif);
            bm_net_link_came(interface);
        } else {
            netif_set_link_down(&interface->netif);
        }
    }
}

static void link_changed(struct bm_netqueue *queue)
{
    struct bm_net_interface *interface = queue->stack_state;
    const struct bm_netdev *device = queue->device;
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
    netif->mtu = interface->mtu;
    netif->hwaddr_len = sizeof device->mac;
    memcpy(netif->hwaddr, device->mac, sizeof device->mac);
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = interface->vlan ? bm_net_vlan_output : bm_net_link_output;
    if (device->capabilities & BM_NETDEV_CHECKSUM_TX && !interface->vlan)
        netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
    return ERR_OK;
}

// The interface of a device, or of one of its VLANs.
static struct bm_net_interface *interface_new(struct bm_netdev *device, unsigned vlan, size_t size)
{
    struct bm_net_interface *interface = NULL;
    if (bm_net_interface_count < INTERFACES_MAX)
        interface = bm_net_allocate_zeroed(1, size);
    if (!interface) {
        bm_log_error("net", "no room for one more interface");
        return NULL;
    }
    interface->device = device;
    interface->netqueue = device->queues;
    interface->vlan = (uint16_t)vlan;
    interface->mtu = device->mtu < MTU_MIN ? MTU_USUAL : device->mtu;
    bm_net_mss = (u16_t)LWIP_MAX(bm_net_mss, LWIP_MIN(interface->mtu - TCP_HEADERS, MSS_MAX));
    netif_add(&interface->netif, NULL, NULL, NULL, interface, interface_init, ethernet_input);
    netif_create_ip6_linklocal_address(&interface->netif, 1);
    netif_set_ip6_autoconfig_enabled(&interface->netif, 1);
    bm_net_interfaces[bm_net_interface_count++] = interface;
    return interface;
}

// One queue, which any core serves, is what this stack wants of a device; another stack may have started it.
void bm_net_interface_add(struct bm_netdev *device, size_t size)
{
    if (bm_netdev_start(device, 1) < 1 || device->queues->stack)
        return;
    bm_net_lock();
    struct bm_net_interface *interface = interface_new(device, 0, size);
    if (interface) {
        bm_format(interface->name, sizeof interface->name, "eth%u", bm_net_interface_count - 1);
        link_apply(interface);
    }
    bm_net_unlock();
    if (interface)
        bm_netqueue_take(interface->netqueue, &stack, interface);
}

struct bm_net_interface *bm_net_vlan_add(struct bm_net_interface *device, unsigned vlan, size_t size)
{
    struct bm_net_interface *interface = interface_new(device->device, vlan, size);
    if (!interface)
        return NULL;
    bm_format(interface->name, sizeof interface->name, "%s.%u", device->name, vlan);
    interface->vlans = device->vlans;
    device->vlans = interface;
    link_apply(device);
    return interface;
}

void bm_net_interface_mtu(struct bm_net_interface *interface, unsigned said)
{
    unsigned mtu = interface->mtu;
    if (said && said < mtu && !interface->mtu_is_chosen)
        mtu = said < MTU_MIN ? MTU_MIN : said;
    interface->netif.mtu = (u16_t)mtu;
}

void bm_net_interface_mtu_choose(struct bm_net_interface *interface, unsigned mtu)
{
    interface->mtu = (uint16_t)mtu;
    interface->mtu_is_chosen = true;
    interface->netif.mtu = interface->mtu;
    interface->netif.mtu6 = (u16_t)(mtu < MTU6_MIN ? MTU6_MIN : mtu);
}

void bm_net_interface_trust(void)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        bm_net_interfaces[i]->netif.chksum_flags &=
            (u16_t) ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP | NETIF_CHECKSUM_CHECK_ICMP |
                      NETIF_CHECKSUM_CHECK_ICMP6);
}

struct bm_net_interface *bm_net_interface_of(const struct netif *netif)
{
    if (netif->linkoutput != bm_net_link_output && netif->linkoutput != bm_net_vlan_output)
        return NULL;
    return ((struct bm_net_interface *)netif->state)->netqueue->stack_state;
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
