// Rules of lock.h and wait.h.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/lock.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT, other = BM_SPINLOCK_INIT;

static bool yes(void *arg)
{
    (void)arg;
    return true;
}

// @misuse lock_twice bm_spinlock_acquire: a lock must not be taken again by the core that holds it
MISUSE(lock_twice)
{
    bm_spinlock_acquire(&lock);
    bm_spinlock_acquire(&lock);
}

// @misuse lock_twice_inline bm_spinlock_acquire: a lock must not be taken again by the core that holds it
MISUSE(lock_twice_inline)
{
    bm_spinlock_acquire_inline(&lock);
    bm_spinlock_acquire_inline(&lock);
}

// @misuse lock_not_held bm_spinlock_release: a lock must be released by the core that holds it
MISUSE(lock_not_held)
{
    bm_spinlock_acquire(&other);
    bm_spinlock_release(&lock);
}

// @misuse handler_locks bm_spinlock_acquire: a lock must not be taken in an interrupt handler
MISUSE(handler_locks)
{
    bm_spinlock_acquire(&lock);
}

MISUSE(lock_in_handler)
{
    misuse_in_handler(handler_locks);
}

// @misuse lock_at_end main: main must not return with a spinlock held, taken by the caller
MISUSE(lock_at_end)
{
    bm_spinlock_acquire(&lock);
}

// @misuse wait_with_lock bm_wait_until: it must not be called with a spinlock held
MISUSE(wait_with_lock)
{
    bm_spinlock_acquire(&lock);
    bm_wait_until(yes, NULL, UINT64_MAX);
}

// @misuse wait_woken_with_lock bm_wait_woken: it must not be called with a spinlock held
MISUSE(wait_woken_with_lock)
{
    bm_spinlock_acquire(&lock);
    bm_wait_woken(yes, NULL, UINT64_MAX);
}

// @misuse handler_waits bm_wait_until: it must not be called in an interrupt handler
MISUSE(handler_waits)
{
    bm_wait_until(yes, NULL, UINT64_MAX);
}

MISUSE(wait_in_handler)
{
    misuse_in_handler(handler_waits);
}

// @misuse poller_waits bm_wait_until: it must not be called in a poller
MISUSE(poller_waits)
{
    bm_wait_until(yes, NULL, UINT64_MAX);
}

MISUSE(wait_in_poller)
{
    misuse_in_poller(poller_waits);
}

static bool take_one(void *arg)
{
    int *left = arg;
    return (*left)-- > 0;
}

// @misuse wait_with_effects bm_wait_until: a condition must have no effects of its own: asked twice, it said
// yes and then no
MISUSE(wait_with_effects)
{
    int one = 1;
    bm_wait_until(take_one, &one, UINT64_MAX);
}

static bool take_lock(void *arg)
{
    bm_spinlock_try(arg);
    return true;
}

// @misuse condition_keeps_lock bm_wait_until: a condition must leave no lock taken
MISUSE(condition_keeps_lock)
{
    bm_wait_until(take_lock, &lock, UINT64_MAX);
}

// @misuse poller_polls bm_poll: it must not be called recursively from a poller
MISUSE(poller_polls)
{
    bm_poll();
}

MISUSE(poll_in_poller)
{
    misuse_in_poller(poller_polls);
}

// @misuse handler_polls bm_poll: it must not be called in an interrupt handler
MISUSE(handler_polls)
{
    bm_poll();
}

MISUSE(poll_in_handler)
{
    misuse_in_handler(handler_polls);
}

static bool nothing(void *arg)
{
    (void)arg;
    return false;
}

// @misuse poller_twice bm_poller_add: a poller must not be added twice
MISUSE(poller_twice)
{
    static struct bm_poller poller = {.name = "twice", .poll = nothing};
    bm_poller_add(&poller);
    bm_poller_add(&poller);
}

// @misuse poller_empty bm_poller_add: a poller must have a function `poll`
MISUSE(poller_empty)
{
    static struct bm_poller poller = {.name = "empty"};
    bm_poller_add(&poller);
}

// @misuse long_delay bm_time_delay: a busy wait must last some milliseconds at most
MISUSE(long_delay)
{
    bm_time_delay(2000000000);
}

const struct misuse misuse_wait[] = {MISUSE_CASE(lock_twice),
                                     MISUSE_CASE(lock_twice_inline),
                                     MISUSE_CASE(lock_not_held),
                                     {"handler_locks", lock_in_handler},
                                     MISUSE_CASE(lock_at_end),
                                     MISUSE_CASE(wait_with_lock),
                                     MISUSE_CASE(wait_woken_with_lock),
                                     {"handler_waits", wait_in_handler},
                                     {"poller_waits", wait_in_poller},
                                     MISUSE_CASE(wait_with_effects),
                                     MISUSE_CASE(condition_keeps_lock),
                                     {"poller_polls", poll_in_poller},
                                     {"handler_polls", poll_in_handler},
                                     MISUSE_CASE(poller_twice),
                                     MISUSE_CASE(poller_empty),
                                     MISUSE_CASE(long_delay),
                                     MISUSE_END};
