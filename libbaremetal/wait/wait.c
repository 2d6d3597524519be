// Waiting: serve the pollers, look at the condition, and halt when nothing is left to do.
// SPDX-License-Identifier: MIT
// @optimize balance
//
// A core that waits for something of its own (main in recv) serves the devices itself. Of the cores that idle
// for want of work one is the watcher, which serves the devices and the pollers' deadlines; the others serve
// what is bound to them, and halt until there is work. halt.c tells why no wake-up is lost.
#include "../check/check.h"
#include "../cpu/core.h"
#include "../time/time.h"
#include "halt.h"
#include "hooks.h"
#include "poller.h"

#include <baremetal/compiler.h>
#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/watchdog.h>
#include <stdatomic.h>
#include <stddef.h>

// Rounds without work after which a core halts. The next packet of a busy connection is often close behind
// the last one, and looking again is cheaper than an interrupt.
enum { SPIN_ROUNDS = 2 };

static struct bm_poller *_Atomic first_poller;
static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of changes to the lists

// Rounds since a poller last had work, per core, and whether the core halts in bm_wait_until.
static struct {
    unsigned idle_rounds;
    _Atomic(bool) waits;
} waiters[BM_CORES_MAX];
static _Atomic(unsigned) waiter_count; // that halt

// The idle core that serves the devices, + 1; 0 when there is none.
static _Atomic(unsigned) watcher;

static _Atomic(uint32_t) rounds; // of bm_poll, roughly: cores count at the same time

// Of the checked build.
static inline bool is_added(const struct bm_poller *poller)
{
    const struct bm_poller *added = atomic_load(&first_poller);
    while (added && added != poller)
        added = added->next;
    return added != NULL;
}

void bm_poller_add(struct bm_poller *poller)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(poller->poll, "a poller must have a function `poll`");
    BM_ASSERT(!is_added(poller), "a poller must not be added twice");
    bm_spinlock_acquire(&lock);
    poller->next = atomic_load(&first_poller);
    atomic_store(&first_poller, poller);
    bm_spinlock_release(&lock);
}

// What a poller did may be what a core waits for that halts.
void bm_wait_wake_cores(void)
{
    if (!atomic_load(&waiter_count))
        return;
    for (unsigned core = 0; core < bm_core_arrived(); core++)
        if (atomic_load_explicit(&waiters[core].waits, memory_order_relaxed))
            bm_core_wake(core);
}

static void wake_waiters(void)
{
    atomic_thread_fence(memory_order_seq_cst); // who announces itself after this look sees what was done
    if (bm_fiber_polled)
        bm_fiber_polled();
    bm_wait_wake_cores();
}

void bm_poller_remove(struct bm_poller *poller)
{
    bm_spinlock_acquire(&lock);
    struct bm_poller *_Atomic *link = &first_poller;
    while (*link && *link != poller)
        link = &(*link)->next;
    if (*link)
        atomic_store(link, poller->next);
    bm_spinlock_release(&lock);
}

BM_HOT bool bm_poll(void)
{
    bool worked = false;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(!bm_check_in_poller(), "it must not be called recursively from a poller");
    atomic_store_explicit(&rounds, atomic_load_explicit(&rounds, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    for (struct bm_poller *poller = atomic_load(&first_poller); poller; poller = poller->next)
        worked |= bm_poller_serve(poller);
    if (worked)
        wake_waiters();
    return (bm_bound_poll && bm_bound_poll()) || worked;
}

void bm_wait_wake(void)
{
    wake_waiters();
}

uint64_t bm_poll_overdue(unsigned *core)
{
    uint64_t first = UINT64_MAX;
    *core = BM_WATCH_ALL_CORES;
    for (struct bm_poller *poller = atomic_load(&first_poller); poller; poller = poller->next)
        bm_poller_deadline(poller, &first);
    if (bm_bound_overdue)
        bm_bound_overdue(&first);
    if (first >= bm_time_monotonic())
        return 0;
    return first ? first : 1ull << 63 | rounds; // "at once" is asked for again and again
}

// Arms the interrupt of every poller that this core serves. Returns whether the core must look again instead
// of halting; lowers *deadline to the earliest time at which one wants to be served.
static bool arm_all(uint64_t *deadline, bool serves_all)
{
    bool again = bm_bound_arm && bm_bound_arm(deadline);
    struct bm_poller *poller = serves_all ? atomic_load(&first_poller) : NULL;
    for (; poller && !again; poller = poller->next)
        again = bm_poller_arm(poller, deadline);
    return again;
}

static bool passed(uint64_t deadline)
{
    return deadline != UINT64_MAX && (deadline == 0 || bm_time_monotonic() >= deadline);
}

// Arms the devices and halts until an interrupt, unless the condition holds by now.
static void arm_and_halt(struct bm_core *core, bool (*condition)(void *arg), void *arg, uint64_t deadline,
                         bool serves_all)
{
    if (arm_all(&deadline, serves_all) || passed(deadline) || condition(arg))
        return;
    if (serves_all || deadline != UINT64_MAX) // the watcher keeps everybody's time
        bm_timer_arm(deadline);
    bm_halt(core);
}

// Before a core that served the devices goes to do other work: from now on an interrupt finds an idle core
// that does it; what has come already is shown to that core at once.
void bm_wait_hand_over(void)
{
    uint64_t deadline = UINT64_MAX;
    if (bm_core_arrived() > 1 && arm_all(&deadline, true))
        bm_wait_interrupted();
}

void bm_wait_wake_take(struct bm_core *core)
{
    if (atomic_exchange(&core->wake, 0) && bm_fiber_polled)
        bm_fiber_polled();
}

bool bm_wait_core(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    struct bm_core *core = bm_core_self();
    unsigned *idle_rounds = &waiters[core->id].idle_rounds;
    for (;;) {
        bm_wait_wake_take(core);
        bool worked = bm_poll();
        if (condition(arg))
            return true;
        if (passed(deadline))
            return false;
        *idle_rounds = worked ? 0 : *idle_rounds + 1;
        if (*idle_rounds < SPIN_ROUNDS)
            continue;
        *idle_rounds = SPIN_ROUNDS;
        bm_halt_announce(core, false);
        atomic_store(&waiters[core->id].waits, true);
        atomic_fetch_add(&waiter_count, 1);
        arm_and_halt(core, condition, arg, deadline, true);
        atomic_fetch_sub(&waiter_count, 1);
        atomic_store_explicit(&waiters[core->id].waits, false, memory_order_relaxed);
        bm_halt_withdraw(core, false);
    }
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    if (BM_CHECKED && bm_check_condition(condition, arg, __builtin_return_address(0)))
        return true;
    if (!BM_CHECKED && condition(arg))
        return true;
    if (bm_fiber_wait)
        return bm_fiber_wait(condition, arg, deadline, false);
    bool result = bm_wait_core(condition, arg, deadline);
    bm_wait_hand_over();
    return result;
}

bool bm_wait_woken(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    return bm_fiber_wait ? bm_fiber_wait(condition, arg, deadline, true)
                         : bm_wait_until(condition, arg, deadline);
}

// A core has something else to do. If it was the watcher, or was woken to become it, another idle core is
// woken for that; if there is none, it is the next that idles.
static void idle_leave(unsigned me)
{
    unsigned serves = atomic_load(&watcher);
    if (serves && serves != me)
        return;
    if (serves)
        atomic_store(&watcher, 0);
    if (bm_halt_sleepers())
        bm_halt_wake_any();
    else
        bm_wait_hand_over();
}

void bm_wait_for_work(bool (*condition)(void *arg), void *arg)
{
    struct bm_core *core = bm_core_self();
    unsigned me = core->id + 1;
    while (!condition(arg)) {
        unsigned nobody = 0;
        bool serves = atomic_compare_exchange_strong(&watcher, &nobody, me) || nobody == me;
        bm_wait_wake_take(core);
        if (serves ? bm_poll() : bm_bound_poll && bm_bound_poll())
            continue;
        bm_halt_announce(core, true);
        if (serves || atomic_load(&watcher))
            arm_and_halt(core, condition, arg, UINT64_MAX, serves);
        bm_halt_withdraw(core, true);
    }
    idle_leave(me);
}

void bm_wait_interrupted(void)
{
    unsigned serves = atomic_load(&watcher);
    if (serves && !atomic_load_explicit(&waiters[bm_core_self()->id].waits, memory_order_relaxed))
        bm_core_wake(serves - 1);
}
