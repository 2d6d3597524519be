// Half-open connections: more than a listener's backlog holds, and when they become too many, the oldest go.
// SPDX-License-Identifier: MIT
//
// lwIP counts at most 255 connections of a listener that are half open or wait for accept, and drops each SYN
// beyond. Here the half-open ones are taken out of that count when it is full, so that several hundred
// clients may come at once, while a flood of SYNs from addresses that never answer cannot lock out those that
// do. A program that is slow to accept gets no more than its backlog.
#include "segment.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

enum {
    HALF_OPEN_MAX = 768, // and a backlog's worth of newer ones
    OLD = 2              // ticks of lwIP's slow timer, 0.1 s each
};

static struct tcp_pcb_listen *full_listener(u16_t port)
{
    struct tcp_pcb_listen *listener = tcp_listen_pcbs.listen_pcbs;
    while (listener && (listener->local_port != port || listener->accepts_pending < listener->backlog))
        listener = listener->next;
    return listener;
}

static bool half_open(const struct tcp_pcb *connection, const struct tcp_pcb_listen *listener)
{
    return connection->state == SYN_RCVD && connection->listener == listener;
}

// Takes the half-open connections out of the count; the oldest are given up when they are too many.
static void uncount(const struct tcp_pcb_listen *listener)
{
    unsigned count = 0;
    struct tcp_pcb *next;
    for (struct tcp_pcb *connection = tcp_active_pcbs; connection; connection = next) { // newest first
        next = connection->next;
        if (!half_open(connection, listener))
            continue;
        if (++count <= HALF_OPEN_MAX)
            tcp_backlog_accepted(connection);
        else
            tcp_abandon(connection, 0);
    }
}

void bm_net_backlog_make_room(u16_t port)
{
    const struct tcp_pcb_listen *listener = full_listener(port);
    if (!listener)
        return;
    unsigned counted = 0;
    struct tcp_pcb *oldest = NULL;
    for (struct tcp_pcb *connection = tcp_active_pcbs; connection; connection = connection->next)
        if (half_open(connection, listener)) {
            counted += (connection->flags & TF_BACKLOGPEND) != 0;
            oldest = connection;
        }
    if (counted == listener->accepts_pending)
        uncount(listener);
    else if (oldest && tcp_ticks - oldest->tmr >= OLD) // its answer is hardly under way
        tcp_abandon(oldest, 0);
}
