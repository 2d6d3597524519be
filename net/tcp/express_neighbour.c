// Neighbours that TCP segments are sent to: route, Ethernet address and headers, found once for many.
// SPDX-License-Identifier: MIT
// @optimize size
//
// A cached neighbour is valid while lwIP's ARP entry matches. Every 128th segment takes the slow path so that
// lwIP can refresh an ageing entry.
#include "../device/interface.h"
#include "express.h"

#include <baremetal/compiler.h>
#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/ip.h"

enum { NEIGHBOURS = 32, USED_MAX = 128 };

static struct bm_net_neighbour neighbours[NEIGHBOURS];

static struct bm_net_neighbour *place_of(u32_t remote)
{
    return &neighbours[(remote ^ remote >> 24 ^ remote >> 16) % NEIGHBOURS];
}

static bool is_same(const struct eth_addr *one, const struct eth_addr *other)
{
    u32_t front, other_front;
    u16_t back, other_back;
    memcpy(&front, one->addr, 4);
    memcpy(&other_front, other->addr, 4);
    memcpy(&back, one->addr + 4, 2);
    memcpy(&other_back, other->addr + 4, 2);
    return front == other_front && back == other_back;
}

static bool entry_holds(const struct bm_net_neighbour *neighbour)
{
    ip4_addr_t *address;
    struct netif *netif;
    struct eth_addr *ethernet;
    return etharp_get_entry(neighbour->entry, &address, &netif, &ethernet) && netif == neighbour->netif &&
           ip4_addr_get_u32(address) == neighbour->next_hop && is_same(ethernet, &neighbour->ethernet.dest);
}

BM_HOT struct bm_net_neighbour *bm_net_neighbour_find(u32_t remote, u32_t local)
{
    struct bm_net_neighbour *neighbour = place_of(remote);
    const struct netif *netif = neighbour->netif;
    if (!netif || neighbour->remote != remote || neighbour->local != local ||
        neighbour->gateway != ip4_addr_get_u32(netif_ip4_gw(netif)) || !netif_is_up(netif) ||
        !netif_is_link_up(netif) || ++neighbour->used == USED_MAX || !entry_holds(neighbour)) {
        neighbour->netif = NULL;
        return NULL;
    }
    return neighbour;
}

static u32_t sum_of(u32_t word)
{
    return (word & 0xffff) + (word >> 16);
}

void bm_net_neighbour_learn(u32_t to, u32_t from)
{
    const ip4_addr_t ends[2] = {{to}, {from}}, *remote = &ends[0], *local = &ends[1];
    struct netif *netif = ip4_route_src(local, remote);
    // Devices of their own addresses, of which the device also sums.
    if (!netif || netif->linkoutput != bm_net_link_output || netif->chksum_flags & NETIF_CHECKSUM_GEN_TCP ||
        !ip4_addr_eq(local, netif_ip4_addr(netif)) || ip4_addr_eq(remote, local) ||
        ip4_addr_islinklocal(remote))
        return;
    const ip4_addr_t *next_hop = remote, *found;
    if (!ip4_addr_net_eq(remote, netif_ip4_addr(netif), netif_ip4_netmask(netif)))
        next_hop = bm_net_ip4_gateway(netif, remote);
    if (!next_hop)
        next_hop = netif_ip4_gw(netif);
    struct eth_addr *ethernet;
    ssize_t entry = etharp_find_addr(netif, next_hop, &ethernet, &found);
    if (entry < 0)
        return;
    struct bm_net_neighbour *neighbour = place_of(to);
    *neighbour = (struct bm_net_neighbour){
        .remote = to,
        .local = from,
        .gateway = ip4_addr_get_u32(netif_ip4_gw(netif)),
        .netif = netif,
        .next_hop = ip4_addr_get_u32(next_hop),
        .entry = (u8_t)entry,
        .ethernet = {.dest = *ethernet, .type = PP_HTONS(ETHTYPE_IP)},
    };
    memcpy(&neighbour->ethernet.src, netif->hwaddr, sizeof neighbour->ethernet.src);
    neighbour->pseudo_sum = PP_HTONS(IP_PROTO_TCP) + sum_of(neighbour->remote) + sum_of(neighbour->local);
    neighbour->sum = PP_HTONS(0x4500) + neighbour->pseudo_sum;
}
