// Waiting: serve the pollers, look at the condition, and halt when nothing is left to do.
// SPDX-License-Identifier: MIT
//
// Why no wake-up is lost: `wake` is cleared before the pollers and the condition are looked at, every
// interrupt and bm_core_wake set it, and it is looked at with interrupts off just before `sti; hlt`, between
// which no interrupt is taken.
#include "../boot/start.h"

#include <baremetal/cpu.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>
#include <stddef.h>

// Rounds without work after which a core halts. The next packet of a busy connection is often close behind
// the last one, and looking again is cheaper than an interrupt.
enum { SPIN_ROUNDS = 16 };

static struct bm_poller *_Atomic first_poller;

// Per core: its area, for wakers on other cores, and rounds since a poller last had work.
static struct {
    _Atomic(struct bm_core *) core;
    unsigned idle_rounds;
} waiters[BM_CORES_MAX];

static bool poller_try(struct bm_poller *poller)
{
    return !atomic_exchange_explicit(&poller->lock, 1, memory_order_acquire);
}

static void poller_release(struct bm_poller *poller)
{
    atomic_store_explicit(&poller->lock, 0, memory_order_release);
}

void bm_poller_add(struct bm_poller *poller)
{
    struct bm_poller *next = atomic_load(&first_poller);
    do
        poller->next = next;
    while (!atomic_compare_exchange_weak(&first_poller, &next, poller));
}

bool bm_poll(void)
{
    bool worked = false;
    for (struct bm_poller *poller = atomic_load(&first_poller); poller; poller = poller->next) {
        if (!poller_try(poller))
            continue;
        worked |= poller->poll(poller->arg);
        poller_release(poller);
    }
    return worked;
}

// Arms every poller's interrupt. Returns whether the core must look again instead of halting; lowers
// *deadline to the earliest time at which a poller wants to be served.
static bool arm_all(uint64_t *deadline)
{
    bool again = false;
    for (struct bm_poller *poller = atomic_load(&first_poller); poller; poller = poller->next) {
        if (!poller_try(poller)) // another core serves it and may leave it unarmed
            return true;
        if (poller->arm)
            again |= poller->arm(poller->arg);
        uint64_t wanted = poller->deadline ? poller->deadline(poller->arg) : UINT64_MAX;
        poller_release(poller);
        if (wanted < *deadline)
            *deadline = wanted;
    }
    return again;
}

static bool passed(uint64_t deadline)
{
    return deadline != UINT64_MAX && (deadline == 0 || bm_time_monotonic() >= deadline);
}

// Halts until an interrupt, unless something happened since `wake` was cleared.
static void halt(struct bm_core *core, uint64_t deadline)
{
    if (arm_all(&deadline) || passed(deadline))
        return;
    bm_timer_arm(deadline);
    __asm__ volatile("cli" ::: "memory");
    if (atomic_load(&core->wake))
        __asm__ volatile("sti" ::: "memory");
    else
        __asm__ volatile("sti; hlt" ::: "memory");
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    if (condition(arg))
        return true;
    struct bm_core *core = bm_core_self();
    atomic_store_explicit(&waiters[core->id].core, core, memory_order_release);
    unsigned *idle_rounds = &waiters[core->id].idle_rounds;
    for (;;) {
        atomic_store(&core->wake, 0);
        bool worked = bm_poll();
        if (condition(arg))
            return true;
        if (passed(deadline))
            return false;
        *idle_rounds = worked ? 0 : *idle_rounds + 1;
        if (*idle_rounds < SPIN_ROUNDS)
            continue;
        *idle_rounds = SPIN_ROUNDS;
        halt(core, deadline);
    }
}

// Only the core of the caller can be halted here so far; a halted other core will need an inter-processor
// interrupt.
void bm_core_wake(unsigned core)
{
    struct bm_core *target = core < BM_CORES_MAX ? atomic_load(&waiters[core].core) : NULL;
    if (target)
        atomic_store(&target->wake, 1);
}
