// What a fault report asks of threads: only in images whose program makes some (wait/table.c).
// SPDX-License-Identifier: MIT
#pragma once

// ", in thread NAME", or "" where none runs on this core.
const char *bm_fiber_place(void) __attribute__((weak));
