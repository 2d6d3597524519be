// Orphans: connections that the program has closed, but whose peer has not taken what was still to be sent,
// or the end. All of them together have a share of the memory.
// SPDX-License-Identifier: MIT
//
// lwIP keeps one for as long as its peer acknowledges anything, be it with a window of 0. They are looked
// through only when enough was closed since the last time, so a connection's end costs a few steps.
#include "../lwip/private.h"
#include "tcp.h"

#include <baremetal/memory.h>

#include "arch/bm_assert.h"

enum {
    SHARE = 16,        // one of so many parts of the memory
    SLACK = 8,         // … of which one of so many parts is closed between two looks
    SEGMENT_COST = 128 // bytes, besides the data
};

// What it takes of memory at most: data that lies elsewhere counts, too.
static size_t cost_of(const struct tcp_pcb *connection)
{
    return sizeof *connection + (TCP_SND_BUF - connection->snd_buf) +
           (size_t)connection->snd_queuelen * SEGMENT_COST;
}

// Nobody is told any more when it ends.
static bool is_orphan(const struct tcp_pcb *connection)
{
    return connection->state >= ESTABLISHED && connection->flags & TF_RXCLOSED && !connection->errf;
}

// The list has the newest, and those heard of last, in front.
static void orphans_trim(size_t max)
{
    size_t kept = 0;
    struct tcp_pcb *next;
    for (struct tcp_pcb *connection = tcp_active_pcbs; connection; connection = next) {
        next = connection->next;
        if (!is_orphan(connection) || connection == tcp_input_pcb)
            continue;
        kept += cost_of(connection);
        if (kept > max)
            tcp_abort(connection);
    }
}

err_t tcp_close(struct tcp_pcb *connection)
{
    BM_NET_ASSERT_LOCKED();
    static size_t closed, enough; // bytes of memory: since the last look, and for the next
    if (!enough)
        enough = bm_memory_statistics_get().total / SHARE / SLACK;
    closed += connection->state == LISTEN ? 0 : cost_of(connection);
    err_t error = bm_net_lwip_close(connection);
    if (closed > enough) {
        closed = 0;
        orphans_trim((SLACK - 1) * enough);
    }
    return error;
}

unsigned bm_net_tcp_unfinished(void)
{
    unsigned count = 0;
    for (const struct tcp_pcb *connection = tcp_active_pcbs; connection; connection = connection->next)
        count += connection->state >= ESTABLISHED && (connection->unsent || connection->unacked);
    return count;
}
