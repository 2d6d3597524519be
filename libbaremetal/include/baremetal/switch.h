// Keeping a core at what it runs.
// SPDX-License-Identifier: MIT
//
// A core changes its context in calls that wait, and, when a thread computes for longer than a time slice
// (thread.h), anywhere in the program's own functions.
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef BM_HOST_TEST
// As below, of a test on the host.
static inline void bm_switch_forbid(void)
{
}
static inline void bm_switch_allow(void)
{
}
static inline bool bm_switch_forbidden(void)
{
    return false;
}
#else
// Keeps the calling context on its core, and every other one off it, until bm_switch_allow; counted. For what
// belongs to the core, and for locks under which a program's functions are called, as the network's and
// pollers': a lock of the C library that another core holds is waited for by spinning then. Nothing that
// waits is called meanwhile. Any context but handlers.
static inline void bm_switch_forbid(void)
{
    __asm__ volatile("incl %%gs:24" ::: "cc", "memory");
}

// Takes one bm_switch_forbid of this core back.
static inline void bm_switch_allow(void)
{
    __asm__ volatile("decl %%gs:24" ::: "cc", "memory");
}

// Whether this core must not change what it runs.
static inline bool bm_switch_forbidden(void)
{
    unsigned depth;
    __asm__ volatile("mov %%gs:24, %0" : "=r"(depth));
    return depth != 0;
}
#endif

#ifdef __cplusplus
}
#endif
