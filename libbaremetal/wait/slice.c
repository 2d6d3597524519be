// Time slices: a thread that computes gives its core to others, and to the devices, after 10 ms at most.
// SPDX-License-Identifier: MIT
//
// A tick every SLICE / 2 while threads run. One that finds the same thread since the last tick makes it yield
// when the interrupt returns, but only within the program's own text: whatever the kernel and the C library
// do is never torn apart, so they need no thought of it. A core by itself, and a thread that runs an item of
// work, are left alone, and so is who has a lock or has forbidden it (switch.h).
#include "slice.h"

#include "../base/core.h"
#include "../memory/paging.h"
#include "../time/time.h"

#include <baremetal/cpu.h>
#include <baremetal/time.h>

#include <stdatomic.h>

enum { TICK = BM_THREAD_SLICE / 2, RED_ZONE = 128, FXSAVE_SIZE = 512 };

extern const char bm_slice_entry[];
enum { LOW_BITS = 47 }; // addresses of Linux programs as they are (executable/), never of the kernel

extern const char bm_program_begin[] __attribute__((visibility("hidden"))); // boot/image.ld
extern const char bm_program_end[] __attribute__((visibility("hidden")));

uint32_t bm_slice_state_size = FXSAVE_SIZE;
bool bm_slice_xsave;

void bm_slice_prepare(void)
{
    enum { LEAF_STATE = 0xd };
    bm_slice_xsave = bm_cpu_features_get()->xsave;
    if (bm_slice_xsave)
        bm_slice_state_size = bm_cpu_id(LEAF_STATE, 0).ebx; // of what XCR0 enables
}

static void arm(struct bm_slice *slice, uint64_t now)
{
    slice->next = now + TICK;
    bm_timer_arm(slice->next);
}

void bm_slice_begin(struct bm_slice *slice)
{
    slice->threads = true;
    atomic_signal_fence(memory_order_seq_cst); // a tick that comes now goes on, or is seen to have ended
    if (slice->ticks)
        return;
    slice->ticks = true;
    arm(slice, bm_time_monotonic());
}

static bool is_program(uint64_t address)
{
    return (address >= (uint64_t)bm_program_begin && address < (uint64_t)bm_program_end) ||
           address >> LOW_BITS == 0;
}

// Where the frame of a yield goes. A Linux program's stack is its own: it may have a few hundred bytes left.
static uint64_t place_of(const struct bm_fiber *fiber, uint64_t rsp)
{
    return fiber->kernel_stack ? fiber->kernel_stack : rsp - RED_ZONE;
}

static bool is_there(uint64_t begin, uint64_t end)
{
    uint64_t size;
    return bm_slice_room ? bm_slice_room(begin, end) : bm_paging_lookup(begin, &size) != 0;
}

// Of a stack whose bottom is not known the page below is not mapped.
static bool has_room(const struct bm_fiber *fiber, uint64_t rsp)
{
    if (fiber->kernel_stack) // empty while the program's text runs
        return true;
    enum { REGISTERS = 1024 }; // and what yielding takes
    uint64_t lowest = place_of(fiber, rsp) - REGISTERS - bm_slice_state_size;
    if (fiber->stack_bottom && (lowest < fiber->stack_bottom || lowest >= rsp))
        return false;
    return is_there(lowest, rsp);
}

static void inject_yield(const struct bm_fiber *fiber, struct bm_interrupted *where)
{
    struct bm_interrupted *frame = (void *)(place_of(fiber, where->rsp) & ~15ull);
    *--frame = *where;
    where->rsp = (uint64_t)frame;
    where->rip = (uint64_t)bm_slice_entry;
}

static bool may_switch(const struct bm_core *core, const struct bm_fiber *fiber,
                       const struct bm_interrupted *where)
{
    return !fiber->is_loop && !fiber->pins && !fiber->keeps && !core->no_switch && is_program(where->rip) &&
           has_room(fiber, where->rsp);
}

// A signal is to be taken: the thread goes on in bm_linux_signal_inject, which finds on top where it was, and
// its stack pointer. That takes no more of its stack than the red zone and two words.
static void inject_signal(const struct bm_fiber *fiber, struct bm_interrupted *where)
{
    uint64_t *top = (uint64_t *)place_of(fiber, where->rsp);
    if (!is_there((uint64_t)(top - 2), (uint64_t)top))
        return;
    *--top = where->rsp;
    *--top = where->rip;
    where->rsp = (uint64_t)top;
    where->rip = (uint64_t)bm_linux_signal_inject;
}

// Returns when the next tick is due at the latest.
static uint64_t look_for_signals(const struct bm_core *core, struct bm_interrupted *where, uint64_t now)
{
    enum { SOON = 200 * 1000 }; // nanoseconds; until it is back in its own text
    uint64_t due = bm_slice_signal_due(now);
    if (due > now)
        return due;
    if (core->no_switch || core->fiber->is_loop || !is_program(where->rip))
        return now + SOON;
    inject_signal(core->fiber, where);
    return UINT64_MAX;
}

// In the timer's handler.
void bm_slice_tick(struct bm_interrupted *where)
{
    struct bm_core *core = bm_core_self();
    struct bm_slice *slice = bm_fiber_slice();
    if (!slice)
        return;
    slice->ticks = slice->threads;
    if (!slice->ticks)
        return;
    uint64_t now = bm_time_monotonic(), signals = UINT64_MAX;
    if (bm_slice_signal_due)
        signals = look_for_signals(core, where, now);
    if (now < slice->next) { // armed for something else
        bm_timer_arm(signals < slice->next ? signals : slice->next);
        return;
    }
    struct bm_fiber *fiber = core->fiber;
    if (slice->seen == fiber && slice->seen_switches == slice->switches && may_switch(core, fiber, where))
        inject_yield(fiber, where);
    slice->seen = fiber;
    slice->seen_switches = slice->switches;
    arm(slice, now);
    if (signals < slice->next)
        bm_timer_arm(signals);
    if (fiber->is_loop) // it may be about to halt
        return;
    core->in_interrupt = BM_CORE_QUIET_INTERRUPT;
    bm_fiber_interrupts_pass();
}
