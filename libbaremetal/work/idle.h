// What the work queue needs of the machine below it: cores, halting, waking. Host tests bring their own.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

enum { BM_WORK_CORES_MAX = 255 };

// Zeroed memory for a core's queue, aligned to a cache line, kept for ever; NULL when there is none.
enum { BM_WORK_MEMORY = 4096 };
void *bm_work_memory(void);

// The calling core, and the cores that have arrived so far.
unsigned bm_work_core(void);
unsigned bm_work_cores(void);

// Whether the calling context is an interrupt handler.
bool bm_work_in_interrupt(void);

// Waits until condition(arg) holds, serving devices and halting; the condition is looked at after every
// wake-up.
void bm_work_idle(bool (*condition)(void *arg), void *arg);

// Cores that have announced that they halt for want of work, and waking: one of them, or that one.
unsigned bm_work_sleepers(void);
void bm_work_wake_any(void);
void bm_work_wake(unsigned core);
