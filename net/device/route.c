// Which interface an IPv4 packet leaves by, and to whom.
// SPDX-License-Identifier: MIT
//
// lwIP looks at the destination alone, and knows one gateway for an interface. Of two interfaces in one
// network it would always take the same, and of two gateways always that of the default interface; an answer
// would then leave with an address that its wire does not know. (IPv6 routes by the source address already.)
#include "route.h"

#include "interface.h"

#include <string.h>

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/netif.h"

enum { ROUTES_MAX = 16 };

static struct route {
    struct netif *netif; // NULL: of the command line
    struct bm_net_route to;
    ip4_addr_t gateway;
} routes[ROUTES_MAX];
static unsigned route_count;

unsigned bm_net_routes_set(struct netif *netif, const struct bm_net_route *new, unsigned count)
{
    BM_NET_ASSERT_LOCKED();
    unsigned kept = 0, added = 0;
    for (unsigned i = 0; i < route_count; i++)
        if (routes[i].netif != netif)
            routes[kept++] = routes[i];
    for (; added < count && kept < ROUTES_MAX; added++)
        routes[kept++] = (struct route){netif, new[added], {new[added].gateway}};
    route_count = kept;
    return added;
}

static bool usable(const struct netif *netif)
{
    return netif_is_up(netif) && netif_is_link_up(netif) && !ip4_addr_isany_val(*netif_ip4_addr(netif));
}

static bool is_direct(const struct netif *netif, const ip4_addr_t *address)
{
    return usable(netif) && ip4_addr_net_eq(address, netif_ip4_addr(netif), netif_ip4_netmask(netif));
}

static struct netif *netif_direct(const ip4_addr_t *address)
{
    struct netif *netif;
    NETIF_FOREACH(netif)
    if (is_direct(netif, address))
        return netif;
    return NULL;
}

unsigned bm_net_routes_get(const struct netif *netif, struct bm_net_route *to, unsigned count)
{
    BM_NET_ASSERT_LOCKED();
    unsigned found = 0;
    for (const struct route *route = routes; route < routes + route_count && found < count; route++)
        if ((route->netif ? route->netif : netif_direct(&route->gateway)) == netif)
            to[found++] = route->to;
    return found;
}

// The narrowest route to the destination that leaves by that interface, or by any when it is NULL.
static const struct route *route_find(const struct netif *by, const ip4_addr_t *destination)
{
    const struct route *best = NULL;
    for (const struct route *route = routes; route < routes + route_count; route++) {
        const struct netif *netif = route->netif ? route->netif : netif_direct(&route->gateway);
        if (netif && (by ? netif == by : usable(netif)) &&
            !((ip4_addr_get_u32(destination) ^ route->to.destination) & route->to.netmask) &&
            (!best || lwip_ntohl(route->to.netmask) > lwip_ntohl(best->to.netmask)))
            best = route;
    }
    return best;
}

// Whom an interface hands a packet to whose destination is not in its network; NULL: its gateway. Called
// under the core lock.
const ip4_addr_t *bm_net_ip4_gateway(const struct netif *netif, const ip4_addr_t *destination)
{
    const struct route *route = route_count ? route_find(netif, destination) : NULL;
    return !route ? NULL : ip4_addr_isany_val(route->gateway) ? destination : &route->gateway;
}

static bool has_way(const struct netif *netif, const ip4_addr_t *destination)
{
    return !ip4_addr_isany_val(*netif_ip4_gw(netif)) || bm_net_ip4_gateway(netif, destination);
}

// The interface that has the source address, if it reaches the destination: directly, or, when no other does
// so directly, by a gateway. Otherwise the narrowest route's, or the first that has a gateway: in the order
// of the command line's ip= words, then of the devices. NULL: lwIP finds it by the destination. Called under
// the core lock; source may be NULL.
struct netif *bm_net_ip4_route(const ip4_addr_t *source, const ip4_addr_t *destination)
{
    struct netif *own = NULL;
    struct bm_net_interface *first = NULL;
    bool direct = false;
    if (ip4_addr_isloopback(destination))
        return NULL;
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        struct netif *netif = &interface->netif;
        if (!usable(netif))
            continue;
        bool reaches = ip4_addr_net_eq(destination, netif_ip4_addr(netif), netif_ip4_netmask(netif)),
             is_own = source && ip4_addr_eq(source, netif_ip4_addr(netif));
        if (is_own && reaches)
            return netif;
        if (is_own)
            own = netif;
        if (!ip4_addr_isany_val(*netif_ip4_gw(netif)) && (!first || interface->rank > first->rank))
            first = interface;
        direct |= reaches;
    }
    if (direct)
        return NULL;
    if (own && has_way(own, destination))
        return own;
    const struct route *route = route_find(NULL, destination);
    if (route)
        return route->netif ? route->netif : netif_direct(&route->gateway);
    return first ? &first->netif : NULL;
}
