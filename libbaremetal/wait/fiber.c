// Running fibers: each core takes the next that can run; a fiber that waits gives its core to another.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A fiber goes to the queue of the core that wakes it: its data is there, and nobody else's line is touched.
// A core that sleeps is woken for it when this one has other things to do, and takes it from there.
#include "fiber.h"

#include "../cpu/core.h"
#include "halt.h"
#include "poller.h"
#include "runqueue.h"
#include "slice.h"

#include <baremetal/assert.h>
#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/wait.h>

// What the next on its core does for a fiber that has left the core.
// AFTER_TURN: lets go of the queue's lock, under which it has added itself and taken the next one.
enum { AFTER_PARK, AFTER_TURN, AFTER_YIELD, AFTER_SLICE, AFTER_LEAVE, AFTER_LOOP };

// A core goes back to its loop after so many switches, so that devices are served however busy the fibers
// are; when an interrupt came, at the next switch.
enum { SWITCHES_MAX = 64 };

enum { MSR_FS_BASE = (int)0xc0000100 };

// What a core has of fibers; bm_core.fibers of a core that runs some.
static struct bm_core_fibers {
    struct bm_runqueue queue;
    _Alignas(64) struct bm_fiber *loop;
    unsigned turns;  // switches that are left before the loop runs; none while it does
    bool idle;       // the loop has nothing to do but to run fibers
    unsigned rounds; // of the loop
    struct bm_slice slice;
} cores[BM_CORES_MAX];

static bool has_fsgsbase;   // the instruction
static atomic_bool adopted; // there can be threads

// What main has of these before it becomes a fiber, which may happen within an item of work.
static struct {
    unsigned pins, keeps;
} early;

struct bm_fiber *bm_fiber_self(void)
{
    return bm_core_self()->fiber;
}

bool bm_fiber_runnable(void)
{
    unsigned me = bm_core_self()->id, count = bm_core_arrived();
    if (bm_fiber_list_filled(&cores[me].queue.pinned))
        return true;
    for (unsigned core = 0; core < count; core++)
        if (bm_runqueue_offers(&cores[core].queue))
            return true;
    return false;
}

// Makes a fiber run whose registers are saved.
static __attribute__((noinline)) void enqueue(struct bm_fiber *fiber)
{
    struct bm_core *core = bm_core_self();
    unsigned to = fiber->pins ? fiber->core : core->id;
    bool others = bm_runqueue_add(&cores[to].queue, fiber);
    if (to != core->id) {
        bm_core_wake(to);
        return;
    }
    // Pairs with the sleeper's fence between announcing itself and its last look at the queues.
    if (bm_lock_shared)
        atomic_thread_fence(memory_order_seq_cst);
    if (bm_halt_sleepers() && (others || !cores[to].idle))
        bm_halt_wake_any();
    else if (!cores[to].idle)
        bm_wait_wake_cores(); // one that waits within an item runs threads, too
}

static void thread_pointer_load(uint64_t pointer)
{
    if (has_fsgsbase)
        __asm__ volatile("wrfsbase %0" : : "r"(pointer) : "memory");
    else
        bm_msr_write((uint32_t)MSR_FS_BASE, pointer);
}

// For the fiber that ran before on this core: nobody else may run it earlier, since it stood on its stack.
static inline void finish(struct bm_fiber *before)
{
    unsigned running = BM_FIBER_RUNNING;
    switch (before->after) {
    case AFTER_TURN:
        bm_spinlock_release(&bm_core_self()->fibers->queue.lock);
        return;
    case AFTER_PARK:
        if (atomic_compare_exchange_strong(&before->state, &running, BM_FIBER_PARKED))
            return;
        enqueue(before); // woken meanwhile
        return;
    case AFTER_YIELD: // one has left the queue for it: no other core is of more use than before
        bm_runqueue_add(&bm_core_self()->fibers->queue, before);
        return;
    case AFTER_SLICE:
        bm_runqueue_add_computing(&bm_core_self()->fibers->queue, before);
        return;
    case AFTER_LEAVE:
        before->gone(before);
        return;
    default: // a loop comes again when its core has nothing to run
        return;
    }
}

static inline __attribute__((always_inline)) void switch_to(struct bm_core *core, struct bm_fiber *from,
                                                            struct bm_fiber *to, unsigned after)
{
    from->after = (unsigned char)after;
    to->core = core->id;
    core->fiber = to;
    core->context = to->context;
    if (to->thread_pointer != from->thread_pointer)
        thread_pointer_load(to->thread_pointer);
    finish(bm_fiber_switch(from, to));
}

void bm_fiber_pointer_set(uint64_t pointer)
{
    struct bm_fiber *self = bm_fiber_self();
    if (self)
        self->thread_pointer = pointer; // first: a fiber that is switched away comes back with it
    thread_pointer_load(pointer);
}

void bm_fiber_begin(struct bm_fiber *before, void (*function)(void *arg), void *arg)
{
    finish(before);
    function(arg);
    bm_panic("a fiber's function returned");
}

// Whether the loop's turn has not come yet.
static inline bool turn_take(struct bm_core *core)
{
    struct bm_core_fibers *here = core->fibers;
    if (!here->turns || atomic_load_explicit(&core->wake, memory_order_relaxed))
        return false;
    here->turns--;
    return true;
}

// Who runs here next instead of a fiber: NULL when there is no other but the loop, which need not run now.
static inline struct bm_fiber *next(struct bm_core *core)
{
    return turn_take(core) ? bm_runqueue_take(&core->fibers->queue) : core->fibers->loop;
}

static bool is_thread(const struct bm_fiber *fiber)
{
    return fiber && !fiber->is_loop;
}

void bm_fiber_park(void)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_core *core = bm_core_self();
    struct bm_fiber *self = core->fiber, *to;
    if (atomic_load_explicit(&self->state, memory_order_relaxed) == BM_FIBER_WOKEN)
        return;
    to = next(core);
    switch_to(core, self, to ? to : core->fibers->loop, AFTER_PARK);
}

void bm_fiber_leave(void)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_core *core = bm_core_self();
    struct bm_fiber *to = next(core);
    switch_to(core, core->fiber, to ? to : core->fibers->loop, AFTER_LEAVE);
    __builtin_unreachable();
}

// Yields to a thread that only this core may run, or to the loop, or where no thread runs.
static __attribute__((noinline)) void yield_otherwise(struct bm_core *core)
{
    struct bm_fiber *to = is_thread(core->fiber) ? next(core) : NULL;
    if (to)
        switch_to(core, core->fiber, to, AFTER_YIELD);
    else if (!core->fiber || is_thread(core->fiber) || !bm_fiber_run(core->fiber))
        bm_poll();
}

void bm_fiber_yield(void)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_core *core = bm_core_self();
    struct bm_core_fibers *here = core->fibers;
    if (!here || !bm_runqueue_turns(&here->queue, core->fiber) || !turn_take(core)) {
        yield_otherwise(core);
        return;
    }
    bm_spinlock_acquire_inline(&here->queue.lock);
    struct bm_fiber *to = bm_runqueue_turn(&here->queue, core->fiber);
    if (to)
        switch_to(core, core->fiber, to, AFTER_TURN);
    else
        bm_spinlock_release(&here->queue.lock);
}

void bm_fiber_slice_end(void)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_core *core = bm_core_self();
    switch_to(core, core->fiber, core->fibers->loop, AFTER_SLICE); // the devices are served first
}

void bm_fiber_wake(struct bm_fiber *fiber)
{
    if (atomic_exchange(&fiber->state, BM_FIBER_WOKEN) == BM_FIBER_PARKED)
        enqueue(fiber);
}

void bm_fiber_prepare(struct bm_fiber *fiber, void *top, void (*function)(void *arg), void *arg)
{
    enum { FRAME = 8, MODES = 0, R13 = 3, R12 = 4, RETURN = 7 }; // words, as switch.S takes them
    uint64_t *frame = (uint64_t *)((uintptr_t)top & ~15ul) - FRAME;
    uint32_t mxcsr;
    uint16_t control;
    __asm__("stmxcsr %0\n\tfnstcw %1"
            : "=m"(mxcsr), "=m"(control)); // C11 7.6: as whoever makes a thread has it
    __builtin_memset(frame, 0, FRAME * sizeof *frame);
    frame[MODES] = mxcsr | (uint64_t)control << 32;
    frame[R13] = (uint64_t)arg;
    frame[R12] = (uint64_t)function;
    frame[RETURN] = (uint64_t)bm_fiber_entry;
    fiber->stack_pointer = (uint64_t)frame;
    atomic_store_explicit(&fiber->state, BM_FIBER_RUNNING, memory_order_relaxed);
}

void bm_fiber_start(struct bm_fiber *fiber)
{
    enqueue(fiber);
}

// Where the core's queue of work is told whether a thread runs there.
static _Atomic(uint8_t) *work_marks(struct bm_core *core)
{
    return (_Atomic(uint8_t) *)core->queue + BM_CORE_QUEUE_MARKS;
}

void bm_fiber_adopt(struct bm_fiber *main, struct bm_fiber *loop)
{
    struct bm_core *core = bm_core_self();
    main->context = BM_CONTEXT_MAIN;
    main->core = core->id;
    main->pins = early.pins;
    main->keeps = early.keeps;
    main->thread_pointer = bm_msr_read((uint32_t)MSR_FS_BASE);
    loop->context = BM_CONTEXT_LOOP_0;
    loop->is_loop = true;
    loop->pins = 1;
    loop->after = AFTER_LOOP;
    bm_fiber_begin_all();
    core->fibers = &cores[core->id];
    core->fibers->loop = loop;
    core->fibers->turns = SWITCHES_MAX;
    core->fiber = main;
    bm_slice_begin(&core->fibers->slice);
    atomic_fetch_or(work_marks(core), BM_FIBER_MARK);
}

void bm_fiber_begin_all(void)
{
    if (atomic_load(&adopted))
        return;
    has_fsgsbase = bm_cpu_features_get()->fsgsbase;
    bm_slice_prepare();
    atomic_store(&adopted, true);
}

// The core's loop runs again: no thread of its own stands in its way.
void bm_fiber_loop_back(void)
{
    struct bm_core *core = bm_core_self();
    atomic_fetch_and(work_marks(core), (uint8_t)~BM_FIBER_MARK);
    core->fibers->turns = 0;
    core->fibers->slice.threads = false;
}

struct bm_fiber *bm_fiber_loop(void)
{
    struct bm_core *core = bm_core_self();
    if (core->fibers)
        return core->fibers->loop;
    if (!atomic_load(&adopted))
        return NULL;
    struct bm_fiber *loop = bm_memory_permanent(sizeof *loop, _Alignof(struct bm_fiber));
    if (!loop)
        return NULL; // this core runs no threads
    loop->context = core->context;
    loop->is_loop = true;
    loop->pins = 1;
    loop->thread_pointer = bm_msr_read((uint32_t)MSR_FS_BASE);
    core->fibers = &cores[core->id];
    return core->fiber = core->fibers->loop = loop;
}

// The oldest that another core has not come to.
static struct bm_fiber *steal(unsigned me)
{
    unsigned count = bm_core_arrived();
    for (unsigned i = 1; i < count; i++) {
        struct bm_fiber *fiber = bm_runqueue_steal(&cores[(me + i) % count].queue);
        if (fiber)
            return fiber;
    }
    return NULL;
}

// Who runs next. Those that compute come last, but are not forgotten.
static struct bm_fiber *choose(struct bm_core *core, struct bm_core_fibers *here)
{
    enum { COMPUTING_SHARE = 8 };
    struct bm_fiber *to = NULL;
    if (++here->rounds % COMPUTING_SHARE == 0)
        to = bm_runqueue_take_computing(&here->queue);
    if (!to)
        to = bm_runqueue_take(&here->queue);
    if (!to)
        to = bm_runqueue_take_computing(&here->queue);
    return to ? to : steal(core->id);
}

bool bm_fiber_run(struct bm_fiber *loop)
{
    struct bm_core *core = bm_core_self();
    struct bm_core_fibers *here = core->fibers;
    struct bm_fiber *to = choose(core, here);
    if (!to)
        return false;
    bool idle = here->idle;
    here->turns = SWITCHES_MAX;
    here->idle = false;
    bm_slice_begin(&here->slice);
    atomic_fetch_or(work_marks(core), BM_FIBER_MARK);
    switch_to(core, loop, to, AFTER_LOOP);
    bm_fiber_loop_back();
    here->idle = idle;
    bm_fiber_interrupts_look();
    return true;
}

struct bm_slice *bm_fiber_slice(void)
{
    struct bm_core_fibers *here = bm_core_self()->fibers;
    if (!here)
        return NULL;
    here->slice.switches = here->rounds * (SWITCHES_MAX + 1) - here->turns;
    return &here->slice;
}

void bm_fiber_loop_idles(bool idle)
{
    bm_core_self()->fibers->idle = idle;
}

void bm_fiber_pin(int change)
{
    struct bm_fiber *self = bm_fiber_self();
    if (is_thread(self))
        self->pins += (unsigned)change;
    else if (!self && bm_context_id() == BM_CONTEXT_MAIN)
        early.pins += (unsigned)change;
}

void bm_fiber_keep(int change)
{
    struct bm_fiber *self = bm_fiber_self();
    if (self && (change > 0 || self->keeps)) // a core's loop may have become one since
        self->keeps += (unsigned)change;
    else if (!self && bm_context_id() == BM_CONTEXT_MAIN)
        early.keeps += (unsigned)change;
}
