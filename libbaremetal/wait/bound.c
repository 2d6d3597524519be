// Pollers that are bound to a core: a list for each core, served by it alone.
// SPDX-License-Identifier: MIT
//
// Lists are walked without the lock. Who is at a poller that leaves the list of all goes on from there by
// `next`, which stays as it is; who is at one that goes to another core's list may follow it there, and
// passes over what is not his.
#include "../cpu/core.h"
#include "poller.h"

#include <baremetal/lock.h>

static struct bm_poller *_Atomic bound[BM_CORES_MAX];
static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of changes

static void leave(struct bm_poller *poller, unsigned core)
{
    struct bm_poller *_Atomic *link = &bound[core];
    while (*link && *link != poller)
        link = &(*link)->bound_next;
    if (*link)
        atomic_store(link, poller->bound_next);
}

void bm_poller_bind(struct bm_poller *poller, unsigned core)
{
    bm_spinlock_acquire(&lock);
    unsigned before = atomic_exchange(&poller->core, core + 1);
    if (before)
        leave(poller, before - 1);
    else
        bm_poller_remove(poller);
    atomic_store(&poller->bound_next, bound[core]);
    atomic_store(&bound[core], poller);
    bm_spinlock_release(&lock);
    bm_core_wake(core); // it has not armed it
}

bool bm_bound_poll(void)
{
    unsigned core = bm_core_self()->id;
    bool worked = false;
    for (struct bm_poller *poller = bound[core]; poller; poller = poller->bound_next)
        if (poller->core == core + 1)
            worked |= bm_poller_serve(poller);
    if (worked)
        bm_wait_wake();
    return worked;
}

bool bm_bound_arm(uint64_t *deadline)
{
    unsigned core = bm_core_self()->id;
    bool again = false;
    for (struct bm_poller *poller = bound[core]; poller; poller = poller->bound_next)
        if (poller->core == core + 1)
            again |= bm_poller_arm(poller, deadline);
    return again;
}

void bm_bound_overdue(uint64_t *first)
{
    for (unsigned core = 0; core < bm_core_arrived(); core++)
        for (struct bm_poller *poller = bound[core]; poller; poller = poller->bound_next)
            bm_poller_deadline(poller, first);
}
