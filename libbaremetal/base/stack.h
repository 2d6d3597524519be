// Stacks whose pages get memory when they are touched (musl's pthread_create makes such).
// SPDX-License-Identifier: MIT
//
// The kernel's text runs on the stack of the thread that calls it, and a page fault there takes the locks of
// the address space and of the frames, one in a shared mapping besides those of the file's pages. So nobody
// may meet a page of the stack without memory while holding one of them: who takes one makes sure of enough
// below the stack pointer, the more the further out the lock is.
#pragma once

#include <stdbool.h>

enum {
    BM_STACK_LOCK = 1024,  // bytes, for every spinlock (lock.c), such as that of the frames
    BM_STACK_FILES = 3072, // … under which spinlocks are taken
    BM_STACK_SPACE = 4096  // … under which those are
};

extern bool bm_stack_later; // there may be such stacks

// Reads a byte there. space/fault.c goes on at bm_stack_touched when that is no memory of the stack any more:
// a small stack has its memory at once.
void bm_stack_touch(const void *lowest);
extern const char bm_stack_touched[] __attribute__((visibility("hidden")));

// Before a lock is taken in programs that may have such stacks. Not in interrupt handlers.
static inline __attribute__((always_inline)) void bm_stack_ready(unsigned bytes)
{
    if (bm_stack_later)
        bm_stack_touch((const char *)__builtin_frame_address(0) - bytes);
}
