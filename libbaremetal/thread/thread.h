// What the files of thread/ share.
// SPDX-License-Identifier: MIT
#pragma once

#include "../wait/fiber.h"

#include <baremetal/thread.h>
#include <baremetal/waitqueue.h>

struct bm_thread {
    struct bm_fiber fiber; // first
    void *(*function)(void *arg);
    void *arg;   // then the result
    void *stack; // end of the stack that was made for it; NULL: the caller's, or main's
    size_t size; // of that
    BM_ATOMIC(uint32_t) * clear;
    void (*left)(void *stack, size_t size); // bm_thread_left_set
    void *left_stack;
    size_t left_size;
    _Atomic(void *) local;  // linux/signal.c: stays with the structure, for the next thread that has it
    _Atomic(unsigned) life; // enum of thread.c
    struct bm_waitqueue joiners;
    struct bm_thread *next_free;
    char name[BM_THREAD_NAME_SIZE];
};

// Whether it has left its stack, for who has its number.
bool bm_thread_has_ended(const struct bm_thread *thread);

// linux/signal.c: `local` of a structure that is used again.
void bm_linux_signals_begin(struct bm_thread *thread) __attribute__((weak));

// stack.c: stacks of whole pages with an unmapped page below. Those given back are used again for the same
// size; their memory goes to nobody else. Returns the stack's end, or NULL.
void *bm_thread_stack_take(size_t size);
void bm_thread_stack_give(void *end, size_t size);

// libc/tls.c, linux/start.c: makes the thread-local variables of a new thread with that number at the end of
// its stack, of `size` bytes. Returns the thread pointer and in *end where the stack ends now; NULL when they
// do not fit.
void *bm_tls_make(void **end, size_t size, unsigned number);
// linux/start.c: whether that can be done yet; before, main waits without threads. NULL: always.
bool bm_tls_ready(void) __attribute__((weak));
