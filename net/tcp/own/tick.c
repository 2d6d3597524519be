// What lwIP's periodic timer does for control blocks: tcp_poll, refused data, options that were written.
// SPDX-License-Identifier: MIT
//
// The engine's own time-outs are shard.c's.
#include "own.h"

#include "arch/bm_assert.h"

enum { TICKS = 2 /* calls to a tick of 100 ms */, TIME_WAIT_TICKS = 600 };

struct tcp_pcb *own_tick_next;
u32_t tcp_ticks;

static void poll(struct own_tcp *own)
{
    struct tcp_pcb *pcb = &own->pcb;
    if (!pcb->pollinterval || ++pcb->polltmr < pcb->pollinterval)
        return;
    pcb->polltmr = 0;
    if (!pcb->poll)
        return;
    own_enter(own);
    pcb->poll(pcb->callback_arg, pcb);
    own_leave(own);
}

static void offer(struct own_tcp *own)
{
    own_enter(own);
    own_offer(own);
    own_leave(own);
}

// For each of what may be many: most have nothing to do.
static void look(struct own_tcp *own, bool tick)
{
    if (own->pcb.refused_data || own->end_waits) {
        own->calls++;
        offer(own);
        bool dead = own->dead;
        own_leave(own);
        if (dead)
            return;
    }
    if (!tick)
        return;
    own_options(own);
    poll(own);
}

static void age(struct own_tcp *own, bool tick)
{
    bool waits = own->pcb.refused_data || own->end_waits;
    if (waits || !tick || ++own->pcb.tmr < TIME_WAIT_TICKS) {
        if (waits)
            offer(own);
        return;
    }
    own_part(own);
    own_fail(own, ERR_CLSD);
}

static void each(struct tcp_pcb *first, void (*what)(struct own_tcp *own, bool tick), bool tick)
{
    struct tcp_pcb *pcb = first;
    while (pcb) {
        own_tick_next = pcb->next;
        what(own_of(pcb), tick);
        pcb = own_tick_next;
    }
}

void tcp_tmr(void)
{
    static unsigned calls;
    BM_NET_ASSERT_LOCKED();
    bool tick = ++calls % TICKS == 0;
    tcp_ticks += tick;
    each(tcp_active_pcbs, look, tick);
    each(tcp_tw_pcbs, age, tick);
    own_done();
}
