// What starting cores call of the work queue.
// SPDX-License-Identifier: MIT
#pragma once

// Gives the calling core its queue, in BM_WORK_MEMORY zeroed bytes (idle.h), before any core may use its
// number; core by core.
void bm_work_core_start(unsigned core, void *memory);

// What every core but the first does for ever.
void bm_work_loop(void) __attribute__((noreturn));
