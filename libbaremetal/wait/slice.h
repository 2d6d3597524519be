// Time slices of threads (slice.c).
// SPDX-License-Identifier: MIT
#pragma once

#include "fiber.h"

#include <baremetal/thread.h>

// A core's.
struct bm_slice {
    bool threads;          // some run, or are about to; not while the core is by itself
    bool ticks;            // the timer is armed for the next tick
    uint64_t next;         // when that is due
    unsigned switches;     // of the core, roughly
    struct bm_fiber *seen; // that the last tick found
    unsigned seen_switches;
};

// What push_vectors of cpu/registers.h saves: bytes, and whether by XSAVE or FXSAVE.
extern uint32_t bm_slice_state_size;
extern bool bm_slice_xsave;

// linux/signal_frame.c, in programs with signals; in handlers: when something is to be done about signals of
// the thread that runs here, in its own text: now, or a time of bm_time_monotonic(), UINT64_MAX for none.
uint64_t bm_slice_signal_due(uint64_t now) __attribute__((weak));

// space/fault.c, in programs whose stacks may get their memory later; in the handler of a tick that has
// interrupted the program's own text, which holds no lock of the kernel's: whether that part of the stack
// has memory, or has got it now.
bool bm_slice_room(uint64_t begin, uint64_t end) __attribute__((weak));

// linux/signal_entry.S: where a thread does that.
extern const char bm_linux_signal_inject[] __attribute__((weak, visibility("hidden")));

// Reads how much state a thread has that is interrupted. Once, on core 0.
void bm_slice_prepare(void);

// Before threads run on this core: ticks from now on.
void bm_slice_begin(struct bm_slice *slice);

// fiber.c: the calling thread leaves its core, since its slice has ended; from slice.S.
void bm_fiber_slice_end(void);

// fiber.c: the calling core's; NULL where no threads run. In handlers, too.
struct bm_slice *bm_fiber_slice(void);
