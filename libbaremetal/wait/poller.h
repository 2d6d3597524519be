// Pollers, private to wait/: one core at a time is inside; those that are bound to a core.
// SPDX-License-Identifier: MIT
#pragma once

#include "../check/check.h"

#include <baremetal/wait.h>

#include <stdatomic.h>
#include <stddef.h>

static inline bool bm_poller_try(struct bm_poller *poller)
{
    if (atomic_exchange_explicit(&poller->lock, 1, memory_order_acquire))
        return false;
    bm_switch_forbid();
    return true;
}

static inline void bm_poller_release(struct bm_poller *poller)
{
    bm_switch_allow();
    atomic_store_explicit(&poller->lock, 0, memory_order_release);
}

// Returns whether there was work; another core that is inside does it.
static inline bool bm_poller_serve(struct bm_poller *poller)
{
    if (!bm_poller_try(poller))
        return false;
    BM_CHECK(bm_check_poller_enter());
    bool worked = poller->poll(poller->arg);
    BM_CHECK(bm_check_poller_leave());
    bm_poller_release(poller);
    return worked;
}

// Lowers *first to the time at which the poller wants to be served.
static inline void bm_poller_deadline(const struct bm_poller *poller, uint64_t *first)
{
    uint64_t wanted = poller->deadline ? poller->deadline(poller->arg) : UINT64_MAX;
    if (wanted < *first)
        *first = wanted;
}

// Arms the poller's interrupt. Returns whether the core must look again instead of halting.
static inline bool bm_poller_arm(struct bm_poller *poller, uint64_t *deadline)
{
    if (!bm_poller_try(poller)) // another core serves it and may leave it unarmed
        return true;
    BM_CHECK(bm_check_poller_enter());
    bool again = poller->arm && poller->arm(poller->arg);
    BM_CHECK(bm_check_poller_leave());
    bm_poller_deadline(poller, deadline);
    bm_poller_release(poller);
    return again;
}

// wait.c: takes a poller out of the list of those that any core serves. Who is at it goes on from there.
void bm_poller_remove(struct bm_poller *poller);

// wait.c: what a poller did may be what a core waits for that halts.
void bm_wait_wake(void);

// wait.c: only cores that wait by themselves.
void bm_wait_wake_cores(void);

// bound.c, in images that bind pollers: serves and arms those of this core, as the functions above do; the
// earliest deadline of all.
bool bm_bound_poll(void) __attribute__((weak));
bool bm_bound_arm(uint64_t *deadline) __attribute__((weak));
void bm_bound_overdue(uint64_t *first) __attribute__((weak));
