// An incoming TCP segment, before lwIP sees it.
// SPDX-License-Identifier: MIT
#pragma once

#include "net.h"

#include <string.h>

#include "lwip/ip_addr.h"
#include "lwip/tcp.h"

struct bm_net_segment {
    const u8_t *source, *destination; // addresses in the packet
    bool is_ip6;
    u16_t remote_port, local_port;
    u32_t sequence;
};

static inline bool bm_net_segment_address_is(const ip_addr_t *address, const u8_t *bytes, bool is_ip6)
{
    if (is_ip6)
        return IP_IS_V6(address) && memcmp(ip_2_ip6(address)->addr, bytes, 16) == 0;
    u32_t word;
    memcpy(&word, bytes, sizeof word);
    return IP_IS_V4(address) && ip4_addr_get_u32(ip_2_ip4(address)) == word;
}

// Whether the segment's ends are those of the connection.
static inline bool bm_net_segment_matches(const struct bm_net_segment *segment,
                                          const struct tcp_pcb *connection)
{
    return connection->remote_port == segment->remote_port && connection->local_port == segment->local_port &&
           bm_net_segment_address_is(&connection->remote_ip, segment->source, segment->is_ip6) &&
           bm_net_segment_address_is(&connection->local_ip, segment->destination, segment->is_ip6);
}

// time_wait.c: a SYN for an old connection's ports.
void bm_net_time_wait_reuse(const struct bm_net_segment *syn);

// backlog.c: a SYN for that port.
void bm_net_backlog_make_room(u16_t port);

// tcp_lookup.c: any other segment.
void bm_net_tcp_lookup(const struct bm_net_segment *segment);

// tcp_acceptable.c: how many unacceptable segments may still be answered, for tests that repeat themselves.
extern unsigned bm_net_tcp_answers;
