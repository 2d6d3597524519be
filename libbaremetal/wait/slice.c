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

enum { TICK = BM_THREAD_SLICE / 2, RED_ZONE = 128, FXSAVE_SIZE = 512 };

extern const char bm_slice_entry[];
extern const char bm_program_begin[] __attribute__((visibility("hidden"))); // boot/image.ld
extern const char bm_program_end[] __attribute__((visibility("hidden")));

uint32_t bm_slice_state_size = FXSAVE_SIZE; // of x87 and vector registers
bool bm_slice_xsave;

void bm_slice_prepare(void)
{
    enum { LEAF_STATE = 0xd };
    bm_slice_xsave = bm_cpu_features_get()->xsave;
    if (bm_slice_xsave)
        bm_slice_state_size = bm_cpu_id(LEAF_STATE, 0).ebx; // of what XCR0 enables
}

void bm_slice_begin(struct bm_slice *slice)
{
    slice->threads = true;
    if (slice->ticks)
        return;
    slice->ticks = true;
    bm_timer_arm(bm_time_monotonic() + TICK);
}

static bool is_program(uint64_t address)
{
    return address >= (uint64_t)bm_program_begin && address < (uint64_t)bm_program_end;
}

// Below a stack that the kernel made is a page that is not mapped, so one look tells.
static bool has_room(uint64_t rsp)
{
    enum { REGISTERS = 1024 }; // and what yielding takes
    uint64_t size;
    return bm_paging_lookup(rsp - RED_ZONE - REGISTERS - bm_slice_state_size, &size);
}

static void inject_yield(struct bm_interrupted *where)
{
    uint64_t *top = (uint64_t *)(where->rsp - RED_ZONE);
    *--top = where->rip;
    where->rsp = (uint64_t)top;
    where->rip = (uint64_t)bm_slice_entry;
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
    struct bm_fiber *fiber = core->fiber;
    bool computes = slice->seen == fiber && slice->seen_switches == slice->switches;
    bool may_switch = !fiber->is_loop && !fiber->pins && !fiber->keeps && !core->no_switch;
    if (computes && may_switch && is_program(where->rip) && has_room(where->rsp))
        inject_yield(where);
    slice->seen = fiber;
    slice->seen_switches = slice->switches;
    bm_timer_arm(bm_time_monotonic() + TICK);
}
