// Half-open connections: when they fill a listener's backlog, the oldest makes room.
// SPDX-License-Identifier: MIT
//
// So a flood of SYNs from addresses that never answer does not lock out those that do.
#include "segment.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

static struct tcp_pcb_listen *full_listener(u16_t port)
{
    struct tcp_pcb_listen *listener = tcp_listen_pcbs.listen_pcbs;
    while (listener && (listener->local_port != port || listener->accepts_pending < listener->backlog))
        listener = listener->next;
    return listener;
}

void bm_net_backlog_make_room(u16_t port)
{
    const struct tcp_pcb_listen *listener = full_listener(port);
    if (!listener)
        return;
    struct tcp_pcb *oldest = NULL; // the list starts with the newest
    for (struct tcp_pcb *connection = tcp_active_pcbs; connection; connection = connection->next)
        if (connection->state == SYN_RCVD && connection->listener == listener)
            oldest = connection;
    if (oldest)
        tcp_abandon(oldest, 0);
}
