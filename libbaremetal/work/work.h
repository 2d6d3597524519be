// What idle cores call of the work queue.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

// Runs one item if there is one for this core; returns whether there was.
bool bm_work_run_one(void);

// Whether there seems to be an item for this core.
bool bm_work_available(void);

// Gives a core its queue, in BM_WORK_MEMORY bytes (idle.h), before any core may use its number.
void bm_work_core_start(unsigned core, void *memory);

// What every core but the first does for ever.
void bm_work_loop(void) __attribute__((noreturn));
