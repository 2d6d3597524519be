// Waiting in programs with threads: a thread leaves its core to others, a core by itself runs threads.
// SPDX-License-Identifier: MIT
// @optimize speed
#include "fiber.h"

#include "../cpu/core.h"
#include "halt.h"

#include <baremetal/lock.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

typedef bool condition(void *arg);

// Threads that look again after a poller had work, because nobody will wake them by name.
static struct bm_fiber *polled;
static struct bm_spinlock polled_lock = BM_SPINLOCK_INIT;

static void polled_add(struct bm_fiber *self)
{
    bm_spinlock_acquire(&polled_lock);
    self->polled = true;
    self->polled_previous = NULL;
    self->polled_next = polled;
    if (polled)
        polled->polled_previous = self;
    polled = self;
    bm_spinlock_release(&polled_lock);
}

static void polled_remove(struct bm_fiber *self)
{
    bm_spinlock_acquire(&polled_lock);
    self->polled = false;
    if (self->polled_next)
        self->polled_next->polled_previous = self->polled_previous;
    *(self->polled_previous ? &self->polled_previous->polled_next : &polled) = self->polled_next;
    bm_spinlock_release(&polled_lock);
}

void bm_fiber_polled(void)
{
    if (!__atomic_load_n(&polled, __ATOMIC_SEQ_CST))
        return;
    bm_spinlock_acquire(&polled_lock);
    for (struct bm_fiber *fiber = polled; fiber; fiber = fiber->polled_next)
        bm_fiber_wake(fiber);
    bm_spinlock_release(&polled_lock);
}

static bool passed(uint64_t deadline)
{
    return deadline != UINT64_MAX && (deadline == 0 || bm_time_monotonic() >= deadline);
}

// A thread waits. The condition is looked at once more when whoever may wake it knows of it.
static bool thread_wait(struct bm_fiber *self, condition *over, void *arg, uint64_t deadline, bool woken)
{
    bool told = false, parked = false, result;
    for (;;) {
        atomic_exchange(&self->state, BM_FIBER_RUNNING); // a fence, too
        if ((result = over(arg)) || passed(deadline))
            break;
        if (told) {
            parked = true;
            bm_fiber_park();
            continue;
        }
        told = true;
        if (!woken)
            polled_add(self);
        if (deadline != UINT64_MAX)
            bm_timeout_arm(self, deadline);
    }
    if (self->polled)
        polled_remove(self);
    if (self->timeout.deadline)
        bm_timeout_disarm(self);
    // Its time had passed already: others, and the devices, have their turn all the same.
    if (!result && !parked) {
        bm_fiber_yield();
        result = over(arg);
    }
    return result;
}

struct both {
    condition *over;
    void *arg;
};

static uint64_t seen[BM_CORES_MAX]; // interrupts, when they were looked at last

void bm_fiber_interrupts_pass(void)
{
    struct bm_core *core = bm_core_self();
    if (seen[core->id] + 1 == core->interrupts)
        seen[core->id]++;
}

void bm_fiber_interrupts_look(void)
{
    struct bm_core *core = bm_core_self();
    if (seen[core->id] == core->interrupts)
        return;
    seen[core->id] = core->interrupts;
    bm_fiber_polled();
}

static bool over_or_runnable(void *arg)
{
    struct both *both = arg;
    bm_fiber_interrupts_look();
    return both->over(both->arg) || bm_fiber_runnable();
}

// Runs threads for a while and serves devices once. Returns false when there was none.
static bool run(struct bm_fiber *loop)
{
    bm_wait_wake_take(bm_core_self());
    if (!bm_fiber_run(loop))
        return false;
    bm_poll();
    return true;
}

// A core by itself waits, within an item of work: threads have the core meanwhile.
static bool loop_wait(struct bm_fiber *loop, condition *over, void *arg, uint64_t deadline)
{
    struct both both = {over, arg};
    bool result;
    while (!(result = over(arg)) && !passed(deadline)) {
        if (run(loop))
            continue;
        bm_wait_core(over_or_runnable, &both, deadline);
    }
    bm_wait_hand_over();
    return result;
}

// Where memory does not suffice for threads, or main is not one yet and cannot become one.
static bool core_wait(condition *over, void *arg, uint64_t deadline)
{
    bool result = bm_wait_core(over, arg, deadline);
    bm_wait_hand_over();
    return result;
}

// The fiber that waits; main becomes one when it waits first.
static struct bm_fiber *waiter(void)
{
    if (!bm_fiber_self() && bm_context_id() == BM_CONTEXT_MAIN && bm_thread_adopt)
        bm_thread_adopt();
    struct bm_fiber *self = bm_fiber_self();
    return self ? self : bm_fiber_loop();
}

bool bm_fiber_wait(condition *over, void *arg, uint64_t deadline, bool woken)
{
    struct bm_fiber *self = waiter();
    if (!self)
        return core_wait(over, arg, deadline);
    return self->is_loop ? loop_wait(self, over, arg, deadline)
                         : thread_wait(self, over, arg, deadline, woken);
}

// A core has no item of work.
void bm_fiber_idle(condition *over, void *arg)
{
    struct bm_fiber *self = waiter();
    struct both both = {over, arg};
    if (!self) {
        bm_halt_idle_core(over_or_runnable, &both); // main may become a fiber meanwhile
        return;
    }
    if (!self->is_loop) {
        thread_wait(self, over, arg, UINT64_MAX, false);
        return;
    }
    bm_fiber_loop_idles(true);
    while (!over(arg)) {
        if (run(self))
            continue;
        bm_halt_idle_core(over_or_runnable, &both);
    }
    bm_fiber_loop_idles(false);
    if (bm_halt_sleepers() && bm_fiber_runnable()) // what woke this core may have been a thread
        bm_halt_wake_any();
}
