// Halting a core and waking it.
// SPDX-License-Identifier: MIT
// @optimize balance
//
// Why no wake-up is lost: a core first announces that it is asleep, then looks at its condition and at `wake`
// a last time. Who makes the condition true does so first and looks at the announcements afterwards. Full
// fences lie between, so one of the two sees the other.
#include "halt.h"

#include "../cpu/apic.h"
#include "../cpu/core.h"
#include "hooks.h"

#include <baremetal/wait.h>

#include <stdatomic.h>
#include <stddef.h>

enum { WORDS = (BM_CORES_MAX + 63) / 64, ICR_ASSERT = 1 << 14 };

// Cores that halt for want of work.
static _Atomic(uint64_t) sleepers[WORDS];
_Atomic(unsigned) bm_halt_sleeper_count;

// Takes a core off the list. Returns whether it was on it.
static bool claim(unsigned core)
{
    uint64_t bit = 1ull << core % 64;
    if (!(atomic_fetch_and(&sleepers[core / 64], ~bit) & bit))
        return false;
    atomic_fetch_sub(&bm_halt_sleeper_count, 1);
    return true;
}

void bm_halt_wake_any(void)
{
    for (unsigned word = 0; word < WORDS; word++) {
        uint64_t bits = atomic_load(&sleepers[word]);
        for (; bits; bits &= bits - 1) {
            unsigned core = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (!claim(core))
                continue;
            bm_core_wake(core);
            return;
        }
    }
}

BM_CORE_STATISTIC(wakes, "Interrupts sent to wake other cores.");

void bm_core_wake(unsigned id)
{
    struct bm_core *core = bm_core_get(id);
    if (!core)
        return;
    atomic_store(&core->wake, 1); // a full fence, too
    if (bm_halt_needs_interrupt && core != bm_core_self() && atomic_load(&core->asleep)) {
        BM_CORE_COUNT(wakes);
        bm_apic_send(core->apic_id, ICR_ASSERT | BM_VECTOR_WAKE);
    }
}

// Of the cores' contexts each has its core's number, plus one.
void bm_context_wake(unsigned context)
{
    if (bm_fiber_context_wake && bm_fiber_context_wake(context))
        return;
    unsigned core = context == BM_CONTEXT_ALL ? bm_core_arrived() : context;
    do
        bm_core_wake(--core);
    while (core && context == BM_CONTEXT_ALL);
}

void bm_halt_announce(struct bm_core *core, bool for_work)
{
    atomic_store(&core->asleep, 1);
    if (!for_work)
        return;
    // The count is raised first, so that it is never lower than the number of cores on the list.
    atomic_fetch_add(&bm_halt_sleeper_count, 1);
    atomic_fetch_or(&sleepers[core->id / 64], 1ull << core->id % 64);
}

void bm_halt_withdraw(struct bm_core *core, bool for_work)
{
    atomic_store_explicit(&core->asleep, 0, memory_order_relaxed);
    if (for_work)
        claim(core->id);
}

// In images that serve no devices; the others have wait.c's.
static void idle(bool (*condition)(void *arg), void *arg)
{
    struct bm_core *core = bm_core_self();
    while (!condition(arg)) {
        atomic_store(&core->wake, 0);
        bm_halt_announce(core, true);
        if (!condition(arg))
            bm_halt(core);
        bm_halt_withdraw(core, true);
    }
}

void bm_halt_idle(bool (*condition)(void *arg), void *arg)
{
    if (bm_fiber_idle)
        bm_fiber_idle(condition, arg);
    else
        bm_halt_idle_core(condition, arg);
}

void bm_halt_idle_core(bool (*condition)(void *arg), void *arg)
{
    if (bm_wait_for_work)
        bm_wait_for_work(condition, arg);
    else
        idle(condition, arg);
}
