// What rtnetlink(7) tells: interfaces, their addresses, routes.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../device/route.h"
#include "interface.h"
#include "netlink.h"

#include <baremetal/error.h>
#include <baremetal/socket_ops.h>
#include <string.h>

#include "lwip/netif.h"

enum { NEW_LINK = 16, GET_LINK = 18, NEW_ADDRESS = 20, GET_ADDRESS = 22, NEW_ROUTE = 24, GET_ROUTE = 26 };
enum { LINK_ADDRESS = 1, LINK_BROADCAST, LINK_NAME, LINK_MTU };                                   // IFLA_…
enum { ADDRESS_ADDRESS = 1, ADDRESS_LOCAL, ADDRESS_LABEL, ADDRESS_BROADCAST, ADDRESS_FLAGS = 8 }; // IFA_…
enum { ROUTE_TO = 1, ROUTE_INTERFACE = 4, ROUTE_GATEWAY, ROUTE_SOURCE = 7, ROUTE_TABLE = 15 };    // RTA_…
enum { PERMANENT = 0x80, SCOPE_GLOBAL = 0, SCOPE_LINK = 253, SCOPE_HOST = 254 };                  // IFA_F_…
enum {
    TABLE_MAIN = 254,
    PROTOCOL_KERNEL = 2,
    PROTOCOL_BOOT = 3,
    UNICAST = 1,
    BITS4 = 32,
    BITS6 = 128
}; // RT…
enum { ROUTES_SHOWN = 16 };

// struct ifinfomsg, ifaddrmsg, rtmsg.
struct link {
    uint8_t family, pad;
    uint16_t type;
    int32_t index;
    uint32_t flags, change;
};

struct address {
    uint8_t family, bits, flags, scope;
    uint32_t index;
};

struct route {
    uint8_t family, to_bits, from_bits, service, table, protocol, scope, type;
    uint32_t flags;
};

static void link_tell(struct bm_netlink_answer *answer, const struct netif *netif)
{
    struct link *link = bm_netlink_begin(answer, NEW_LINK, BM_NETLINK_MULTI, sizeof *link);
    if (!link)
        return;
    const char *name = bm_net_interface_name(netif);
    uint8_t hardware[NETIF_MAX_HWADDR_LEN] = {0}, broadcast[6];
    uint32_t mtu = bm_net_interface_mtu_of(netif);
    bool loopback = bm_net_interface_is_loopback(netif);
    link->type = bm_net_interface_type(netif);
    link->index = netif_get_index(netif);
    link->flags = (uint32_t)bm_net_interface_flags(netif);
    if (!loopback)
        memcpy(hardware, netif->hwaddr, sizeof hardware);
    memset(broadcast, loopback ? 0 : 0xff, sizeof broadcast);
    bm_netlink_attribute(answer, LINK_NAME, name, strlen(name) + 1);
    bm_netlink_attribute(answer, LINK_MTU, &mtu, sizeof mtu);
    bm_netlink_attribute(answer, LINK_ADDRESS, hardware, sizeof broadcast);
    bm_netlink_attribute(answer, LINK_BROADCAST, broadcast, sizeof broadcast);
    bm_netlink_end(answer);
}

static struct address *address_begin(struct bm_netlink_answer *answer, const struct netif *netif,
                                     uint8_t family)
{
    struct address *address = bm_netlink_begin(answer, NEW_ADDRESS, BM_NETLINK_MULTI, sizeof *address);
    if (!address)
        return NULL;
    address->family = family;
    address->flags = PERMANENT;
    address->index = netif_get_index(netif);
    return address;
}

static void address_end(struct bm_netlink_answer *answer)
{
    const uint32_t flags = PERMANENT;
    bm_netlink_attribute(answer, ADDRESS_FLAGS, &flags, sizeof flags);
    bm_netlink_end(answer);
}

static uint8_t bits_of(const struct netif *netif)
{
    return (uint8_t)__builtin_popcount(ip4_addr_get_u32(netif_ip4_netmask(netif)));
}

static void address4_tell(struct bm_netlink_answer *answer, const struct netif *netif)
{
    const uint32_t local = ip4_addr_get_u32(netif_ip4_addr(netif)),
                   broadcast = local | ~ip4_addr_get_u32(netif_ip4_netmask(netif));
    const char *name = bm_net_interface_name(netif);
    struct address *address = local ? address_begin(answer, netif, BM_AF_INET) : NULL;
    if (!address)
        return;
    address->bits = bits_of(netif);
    address->scope = bm_net_interface_is_loopback(netif) ? SCOPE_HOST : SCOPE_GLOBAL;
    bm_netlink_attribute(answer, ADDRESS_ADDRESS, &local, sizeof local);
    bm_netlink_attribute(answer, ADDRESS_LOCAL, &local, sizeof local);
    if (netif->flags & NETIF_FLAG_BROADCAST)
        bm_netlink_attribute(answer, ADDRESS_BROADCAST, &broadcast, sizeof broadcast);
    bm_netlink_attribute(answer, ADDRESS_LABEL, name, strlen(name) + 1);
    address_end(answer);
}

static void addresses6_tell(struct bm_netlink_answer *answer, const struct netif *netif)
{
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        const ip6_addr_t *is = netif_ip6_addr(netif, i);
        struct address *address = ip6_addr_isvalid(netif_ip6_addr_state(netif, i))
                                      ? address_begin(answer, netif, BM_AF_INET6)
                                      : NULL;
        if (!address)
            continue;
        address->bits = ip6_addr_isloopback(is) ? BITS6 : BITS6 / 2;
        address->scope = ip6_addr_isloopback(is)    ? SCOPE_HOST
                         : ip6_addr_islinklocal(is) ? SCOPE_LINK
                                                    : SCOPE_GLOBAL;
        bm_netlink_attribute(answer, ADDRESS_ADDRESS, is->addr, sizeof is->addr);
        address_end(answer);
    }
}

// A route of the main table by an interface. `to`: NULL without bits.
static void route_tell(struct bm_netlink_answer *answer, const struct netif *netif, uint8_t family,
                       const void *to, uint8_t bits, const uint32_t *gateway)
{
    struct route *route = bm_netlink_begin(answer, NEW_ROUTE, BM_NETLINK_MULTI, sizeof *route);
    if (!route)
        return;
    const uint32_t index = netif_get_index(netif), table = TABLE_MAIN;
    route->family = family;
    route->to_bits = bits;
    route->table = TABLE_MAIN;
    route->protocol = gateway ? PROTOCOL_BOOT : PROTOCOL_KERNEL;
    route->scope = gateway || family == BM_AF_INET6 ? SCOPE_GLOBAL : SCOPE_LINK;
    route->type = UNICAST;
    bm_netlink_attribute(answer, ROUTE_TABLE, &table, sizeof table);
    if (bits)
        bm_netlink_attribute(answer, ROUTE_TO, to, family == BM_AF_INET ? 4 : 16);
    if (gateway)
        bm_netlink_attribute(answer, ROUTE_GATEWAY, gateway, sizeof *gateway);
    else if (family == BM_AF_INET)
        bm_netlink_attribute(answer, ROUTE_SOURCE, netif_ip4_addr(netif), 4);
    bm_netlink_attribute(answer, ROUTE_INTERFACE, &index, sizeof index);
    bm_netlink_end(answer);
}

static void routes4_tell(struct bm_netlink_answer *answer, const struct netif *netif)
{
    const uint32_t local = ip4_addr_get_u32(netif_ip4_addr(netif)),
                   net = local & ip4_addr_get_u32(netif_ip4_netmask(netif)),
                   gateway = ip4_addr_get_u32(netif_ip4_gw(netif));
    if (!local || !netif_is_up(netif) || bm_net_interface_is_loopback(netif))
        return; // of loopback they are in Linux' table `local`
    if (gateway)
        route_tell(answer, netif, BM_AF_INET, NULL, 0, &gateway);
    route_tell(answer, netif, BM_AF_INET, &net, bits_of(netif), NULL);
    struct bm_net_route others[ROUTES_SHOWN];
    unsigned count = bm_net_routes_get(netif, others, ROUTES_SHOWN);
    for (unsigned i = 0; i < count; i++)
        route_tell(answer, netif, BM_AF_INET, &others[i].destination,
                   (uint8_t)__builtin_popcount(others[i].netmask),
                   others[i].gateway ? &others[i].gateway : NULL);
}

static void routes6_tell(struct bm_netlink_answer *answer, const struct netif *netif)
{
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        uint32_t net[4] = {0};
        if (!ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) || bm_net_interface_is_loopback(netif))
            continue;
        memcpy(net, netif_ip6_addr(netif, i)->addr, sizeof net / 2);
        route_tell(answer, netif, BM_AF_INET6, net, BITS6 / 2, NULL);
    }
}

int bm_rtnetlink_dump(struct bm_netlink_answer *answer, uint16_t type, uint8_t family)
{
    if (type != GET_LINK && type != GET_ADDRESS && type != GET_ROUTE)
        return -BM_EOPNOTSUPP;
    bool four = !family || family == BM_AF_INET, six = !family || family == BM_AF_INET6;
    bm_net_lock();
    for (unsigned index = 1; index <= UINT8_MAX; index++) {
        const struct netif *netif = netif_get_by_index((u8_t)index); // lwIP's list is in no such order
        if (!netif)
            continue;
        if (type == GET_LINK)
            link_tell(answer, netif);
        if (type == GET_ADDRESS && four)
            address4_tell(answer, netif);
        if (type == GET_ADDRESS && six)
            addresses6_tell(answer, netif);
        if (type == GET_ROUTE && four)
            routes4_tell(answer, netif);
        if (type == GET_ROUTE && six)
            routes6_tell(answer, netif);
    }
    bm_net_unlock();
    return 0;
}
