// What the work queue needs of the machine below it: cores, halting, waking. Host tests bring their own.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

enum { BM_WORK_CORES_MAX = 255 };

// Zeroed memory for a core's queue, aligned to a cache line, kept for ever; NULL when there is none.
enum { BM_WORK_MEMORY = 4096 };
void *bm_work_memory(void);

// Cores that have arrived so far.
unsigned bm_work_cores(void);

// Waits until condition(arg) holds, serving devices and halting; the condition is looked at after every
// wake-up.
void bm_work_idle(bool (*condition)(void *arg), void *arg);

// Wakes one of the cores that have announced that they halt for want of work, or that very core.
void bm_work_wake_any(void);
void bm_work_wake(unsigned core);

#ifdef BM_HOST_TEST

// The calling core, the place where it keeps its queue, and whether the calling context is an interrupt
// handler.
unsigned bm_work_core(void);
void **bm_work_local(void);
bool bm_work_in_interrupt(void);

// How many cores have announced that they halt for want of work.
unsigned bm_work_sleepers(void);

#else

#include <baremetal/cpu.h>

// halt.c
extern _Atomic(unsigned) bm_halt_sleepers;

static inline unsigned bm_work_core(void)
{
    return bm_core_self()->id;
}

static inline void **bm_work_local(void)
{
    return &bm_core_self()->queue;
}

static inline bool bm_work_in_interrupt(void)
{
    return bm_core_self()->in_interrupt;
}

static inline unsigned bm_work_sleepers(void)
{
    return atomic_load_explicit(&bm_halt_sleepers, memory_order_relaxed);
}

#endif
