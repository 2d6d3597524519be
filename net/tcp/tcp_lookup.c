// All connections in a table by their ends, and in lists from which each is taken out at once.
// SPDX-License-Identifier: MIT
// @optimize size
//
// lwIP would walk its lists for every segment and for every connection that ends. The hash has keys of its
// own, so that a peer cannot choose ports that fall together.
#include "../lwip/memory.h"
#include "express.h"
#include "half_open.h"
#include "tcp.h"

#include <baremetal/compiler.h>
#include <baremetal/random.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/ip.h"

enum { PLACES = 256, GROWTH = 2 }; // the table at first; its factor in bits

static struct tcp_pcb *first_places[PLACES];
static struct tcp_pcb **places = first_places;
static unsigned bits = 8, count;
static uint64_t keys[4] = {1, 1, 1, 1};

void bm_net_tcp_lookup_start(void)
{
    bm_random_fill(keys, sizeof keys);
    for (unsigned i = 1; i < 4; i++)
        keys[i] |= 1;
}

static inline __attribute__((always_inline)) struct tcp_pcb **place_of(uint64_t ends)
{
    return &places[(ends ^ keys[0]) * keys[1] >> (64 - bits)];
}

// All of an IPv4 connection but its local address; ports in the network's order, the remote one first.
static inline __attribute__((always_inline)) uint64_t ends4(u32_t remote, u32_t ports)
{
    return (uint64_t)remote << 32 | ports;
}

static uint64_t ends_of(const ip_addr_t *remote, u16_t remote_port, u16_t local_port)
{
    u32_t ports = lwip_htons(remote_port) | (u32_t)lwip_htons(local_port) << 16;
    if (!IP_IS_V6(remote))
        return ends4(ip4_addr_get_u32(ip_2_ip4(remote)), ports);
    uint64_t halves[2];
    memcpy(halves, ip_2_ip6(remote)->addr, sizeof halves);
    return halves[0] * keys[2] + halves[1] * keys[3] + ports;
}

static void place(struct tcp_pcb *c)
{
    struct tcp_pcb **first = place_of(c->ends);
    c->same_place = *first;
    *first = c;
}

// Without memory for it the table stays as it is.
static BM_COLD void grow(void)
{
    struct tcp_pcb **old = places, **larger = bm_net_allocate_zeroed(sizeof *places << GROWTH, 1ul << bits);
    if (!larger)
        return;
    unsigned old_count = 1u << bits;
    places = larger;
    bits += GROWTH;
    for (unsigned i = 0; i < old_count; i++)
        for (struct tcp_pcb *c = old[i], *next; c; c = next) {
            next = c->same_place;
            place(c);
        }
    if (old != first_places)
        bm_net_free(old);
}

void bm_net_tcp_register(struct tcp_pcb **list, struct tcp_pcb *c)
{
    c->next = *list;
    *list = c;
    if (list != &tcp_active_pcbs && list != &tcp_tw_pcbs)
        return;
    c->link = list;
    if (c->next)
        c->next->link = &c->next;
    if (++count > 1u << bits)
        grow();
    c->ends = ends_of(&c->remote_ip, c->remote_port, c->local_port);
    place(c);
    if (c->state == SYN_RCVD)
        bm_net_half_open_add(c);
}

void bm_net_tcp_remove(struct tcp_pcb **list, struct tcp_pcb *c)
{
    if (list != &tcp_active_pcbs && list != &tcp_tw_pcbs) {
        while (*list && *list != c)
            list = &(*list)->next;
        if (*list)
            *list = c->next;
        c->next = NULL;
        return;
    }
    if (!c->link) // closed in its own callback: taken out before
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->next = NULL;
    c->link = NULL;
    count--;
    struct tcp_pcb **at = place_of(c->ends);
    while (*at != c)
        at = &(*at)->same_place;
    *at = c->same_place;
    if (c->older)
        bm_net_half_open_remove(c);
}

static bool is_bound_elsewhere(const struct tcp_pcb *c)
{
    return c->netif_idx != NETIF_NO_INDEX && c->netif_idx != netif_get_index(ip_current_input_netif());
}

struct tcp_pcb *bm_net_tcp_connection(const struct tcp_hdr *header)
{
    const ip_addr_t *remote = ip_current_src_addr(), *local = ip_current_dest_addr();
    uint64_t ends = ends_of(remote, header->src, header->dest);
    struct tcp_pcb *c = *place_of(ends);
    while (c && (c->ends != ends || !ip_addr_eq(&c->remote_ip, remote) || !ip_addr_eq(&c->local_ip, local) ||
                 is_bound_elsewhere(c)))
        c = c->same_place;
    return c;
}

BM_HOT struct tcp_pcb *bm_net_tcp_find(u32_t remote, u32_t local, u32_t ports)
{
    BM_NET_ASSERT_LOCKED();
    uint64_t ends = ends4(remote, ports);
    struct tcp_pcb *c = *place_of(ends);
    while (c && (c->ends != ends || ip4_addr_get_u32(ip_2_ip4(&c->local_ip)) != local ||
                 !IP_IS_V4_VAL(c->remote_ip)))
        c = c->same_place;
    return c;
}
