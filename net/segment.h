// An incoming TCP segment, before lwIP sees it.
// SPDX-License-Identifier: MIT
#pragma once

#include "net.h"

#include "lwip/ip_addr.h"

struct tcp_pcb;

struct bm_net_segment {
    const u8_t *source, *destination; // addresses in the packet
    bool is_ip6;
    u16_t remote_port, local_port;
    u32_t sequence;
};

// Whether the segment's ends are those of the connection.
bool bm_net_segment_matches(const struct bm_net_segment *segment, const struct tcp_pcb *connection);

// time_wait.c: a SYN for an old connection's ports.
void bm_net_time_wait_reuse(const struct bm_net_segment *syn);

// tcp_lookup.c: any other segment.
void bm_net_tcp_lookup(const struct bm_net_segment *segment);
