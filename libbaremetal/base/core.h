// The cores that run.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/cpu.h>

// Adds a core; core by core, in the order of their numbers.
void bm_core_add(struct bm_core *core);

// The cores that run now (bm_core_count waits for those under way), and the one with a number; NULL when
// there is none.
unsigned bm_core_arrived(void);
struct bm_core *bm_core_get(unsigned id);

// start/cores.c: waits once, at most some seconds, for the cores that were called.
void bm_cores_await(void);
