// Which interface an IPv4 packet leaves by when the machine has several.
// SPDX-License-Identifier: MIT
//
// lwIP looks at the destination alone. Of two interfaces in one network it would always take the same, and of
// two gateways always that of the default interface; an answer would then leave with an address that its wire
// does not know. (IPv6 routes by the source address already.)
#include "net.h"

#include "arch/bm_hooks.h"
#include "lwip/netif.h"

static bool usable(const struct netif *netif)
{
    return netif_is_up(netif) && netif_is_link_up(netif);
}

// The interface that has the source address, if it reaches the destination: directly, or, when no other does
// so directly, by its gateway. NULL: the destination decides. Called under the core lock; source may be NULL.
struct netif *bm_net_ip4_route(const ip4_addr_t *source, const ip4_addr_t *destination)
{
    struct netif *netif, *own = NULL;
    bool direct = false;
    if (!source || ip4_addr_isany_val(*source) || ip4_addr_ismulticast(destination))
        return NULL;
    NETIF_FOREACH(netif)
    {
        if (!usable(netif))
            continue;
        bool reaches = ip4_addr_net_eq(destination, netif_ip4_addr(netif), netif_ip4_netmask(netif)) != 0;
        if (ip4_addr_eq(source, netif_ip4_addr(netif))) {
            if (reaches)
                return netif;
            own = netif;
        }
        direct |= reaches;
    }
    return own && !direct && !ip4_addr_isany_val(*netif_ip4_gw(own)) ? own : NULL;
}
