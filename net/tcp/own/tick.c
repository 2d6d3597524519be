// What lwIP's periodic timer does for control blocks: tcp_poll, refused data, options that were written.
// SPDX-License-Identifier: MIT
//
// The engine's own time-outs are shard.c's.
#include "own.h"

#include "arch/bm_assert.h"

enum { TICKS = 2 /* calls to a tick of 100 ms */, TIME_WAIT_TICKS = 600 };

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

// For each of what may be many: most have nothing to do. tick NULL: it is none.
static void look(struct own_tcp *own, const void *tick)
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

static void age(struct own_tcp *own, const void *tick)
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

void tcp_tmr(void)
{
    static unsigned calls;
    BM_NET_ASSERT_LOCKED();
    bool tick = ++calls % TICKS == 0;
    tcp_ticks += tick;
    own_each(tcp_active_pcbs, look, tick ? &calls : NULL);
    own_each(tcp_tw_pcbs, age, tick ? &calls : NULL);
    own_done();
}
