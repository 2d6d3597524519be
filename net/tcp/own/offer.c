// Data that a program has refused, for want of room: offered again soon after it has read some.
// SPDX-License-Identifier: MIT
//
// Not in its call, since programs do not expect a callback there, and not with the next tick, which would
// bound a reader to a mailbox of segments in 50 ms.
#include "own.h"

#include "../../lwip/timer.h"

#include "arch/bm_assert.h"

static struct own_tcp *first; // whose programs have read

static void run(void *arg)
{
    struct own_tcp *own;
    (void)arg;
    while ((own = first)) {
        own_offer_forget(own);
        own_enter(own);
        own_offer(own);
        own_leave(own);
    }
    own_done();
}

void own_offer_soon(struct own_tcp *own)
{
    static struct bm_net_timer timer = {.handler = run};
    BM_NET_ASSERT_LOCKED();
    if (own->offer_link || (!own->pcb.refused_data && !own->end_waits))
        return;
    if (!first)
        bm_net_timer_start(&timer, 0);
    own->offer_next = first;
    own->offer_link = &first;
    if (first)
        first->offer_link = &own->offer_next;
    first = own;
}

void own_offer_forget(struct own_tcp *own)
{
    if (!own->offer_link)
        return;
    *own->offer_link = own->offer_next;
    if (own->offer_next)
        own->offer_next->offer_link = own->offer_link;
    own->offer_link = NULL;
}
