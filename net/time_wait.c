// TIME_WAIT: bounded, and no obstacle to a peer that comes back with the same port.
// SPDX-License-Identifier: MIT
#include "segment.h"

#include "lwip/priv/tcp_priv.h"

// Each costs memory and, for every SYN, a step in a list. A busy server forgets the oldest early, as every
// server does.
enum { TIME_WAIT_MAX = 64 };

void bm_net_time_wait_trim(void)
{
    struct tcp_pcb *connection = tcp_tw_pcbs; // newest first
    for (unsigned kept = 1; connection && kept < TIME_WAIT_MAX; kept++)
        connection = connection->next;
    while (connection && connection->next)
        tcp_abort(connection->next); // in this state it sends nothing
}

// RFC 1122 section 4.2.2.13 (a): a SYN beyond the old connection's last sequence number starts a new
// connection; lwIP would answer it with an acknowledgement or a reset of the old one.
void bm_net_time_wait_reuse(const struct bm_net_segment *syn)
{
    for (struct tcp_pcb *old = tcp_tw_pcbs; old; old = old->next) {
        if (!bm_net_segment_matches(syn, old))
            continue;
        if (TCP_SEQ_GT(syn->sequence, old->rcv_nxt))
            tcp_abort(old);
        return;
    }
}
