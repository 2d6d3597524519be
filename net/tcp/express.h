// The fast path of TCP segments: what an established IPv4 connection sends and receives most of the time.
// SPDX-License-Identifier: MIT
//
// It handles only the common case: the next in-order segment without options on a connection that has nothing
// else pending. Everything else takes lwIP's path, which would have done the same. lwIP's state is kept
// exactly as lwIP keeps it, so each segment may take another path than the one before.
#pragma once

#include "../lwip/private.h"

#include <stdbool.h>

#include "lwip/etharp.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"

struct bm_net_headers {
    struct eth_hdr ethernet;
    struct ip_hdr ip;
    struct tcp_hdr tcp;
} __attribute__((packed, aligned(2)));
_Static_assert(sizeof(struct bm_net_headers) == 54, "headers without options");

// express_input.c: a raw socket was opened, which wants to see each packet: none takes the fast path.
extern bool bm_net_raw_used;

// tcp_lookup.c: the connection between these ends, addresses and ports in the network's order, the remote
// port first.
struct tcp_pcb *bm_net_tcp_find(u32_t remote, u32_t local, u32_t ports);

// express_segment.c: a segment for that much data, with room for the headers, and its end. The last ones that
// were acknowledged are kept for the next ones to be sent.
struct tcp_seg *bm_net_segment_take(u16_t length);
void bm_net_segment_give(struct tcp_seg *segment);

// express_neighbour.c: Ethernet and IP headers, with their sum, for what goes between two addresses, in the
// network's order; NULL when they are not known. bm_net_neighbour_learn is called after lwIP has sent
// something.
struct bm_net_neighbour {
    u32_t remote, local, gateway;
    struct netif *netif;
    u32_t next_hop;
    u32_t sum;        // of those words of the IP header that are always the same
    u32_t pseudo_sum; // … of the pseudo header (RFC 9293 section 3.1)
    u16_t used;
    u8_t entry; // of lwIP's ARP table
    struct eth_hdr ethernet;
};
struct bm_net_neighbour *bm_net_neighbour_find(u32_t remote, u32_t local);
void bm_net_neighbour_learn(u32_t remote, u32_t local);

// lwIP's own functions of the names that the fast path has now are bm_net_lwip_write and bm_net_lwip_output.
// join.c: the same for several segments, of which the device gets one frame if it can.
err_t bm_net_join_output(struct tcp_pcb *connection);
