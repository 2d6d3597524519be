// TIME_WAIT: bounded, and no obstacle to a peer that comes back with the same port.
// SPDX-License-Identifier: MIT
#include "../lwip/private.h"
#include "tcp.h"

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/prot/tcp.h"

// Each costs memory. A busy server forgets the oldest early, as every server does.
enum { TIME_WAIT_MAX = 64 };

void bm_net_time_wait_trim(void)
{
    BM_NET_ASSERT_LOCKED();
    struct tcp_pcb *connection = tcp_tw_pcbs; // newest first
    for (unsigned kept = 1; connection && kept < TIME_WAIT_MAX; kept++)
        connection = connection->next;
    while (connection && connection->next)
        tcp_abort(connection->next); // in this state it sends nothing
}

// RFC 1122 section 4.2.2.13 (a): a SYN beyond the old connection's last sequence number starts a new
// connection; lwIP would answer it with an acknowledgement or a reset of the old one.
struct tcp_pcb *bm_net_tcp_reuse(struct tcp_pcb *old, const struct tcp_hdr *header)
{
    if (!old || (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN ||
        !TCP_SEQ_GT(header->seqno, old->rcv_nxt))
        return old;
    tcp_abort(old);
    return NULL;
}
