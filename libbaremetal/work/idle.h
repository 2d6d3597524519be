// What the work queue needs of the core that it runs on. Host tests bring their own.
// SPDX-License-Identifier: MIT
#pragma once

#include "../base/core.h"
#include "../wait/halt.h"

#include <baremetal/wait.h>

#include <stdatomic.h>
#include <stdbool.h>

enum { BM_WORK_MEMORY = 4096 }; // of a core's queue

#ifdef BM_HOST_TEST

// The calling core, the place where it keeps its queue, and whether the calling context is an interrupt
// handler.
unsigned bm_work_core(void);
void **bm_work_local(void);
bool bm_work_in_interrupt(void);

#else

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

#endif
