// Signals of each thread, and how they end a wait. Weak: programs without signals do not link them.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/lock.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct futex_waiter;

// What sigaltstack tells: Linux' stack_t.
struct bm_linux_stack {
    void *address;
    int flags, pad;
    size_t size;
};

// Main has one, and so has each core by itself. That of a thread stays with the thread's structure.
struct bm_linux_signals {
    _Atomic(uint64_t) blocked, pending, of_process; // of those that are pending: sent to the process
    struct bm_linux_stack stack;                    // sigaltstack; its size is 0 when there is none
    struct bm_spinlock lock;     // held by who interrupts, so that the waiter stays where it is
    struct futex_waiter *waiter; // on a futex, of the thread; NULL: it does not wait so
};

struct bm_linux_signals *bm_linux_signals_self(void) __attribute__((weak));

// thread/thread.c calls it with what a thread left that had the structure before, before the new one has
// begun or anybody knows its number: no signals, and the mask of who makes it.
void bm_linux_signals_begin(void *local) __attribute__((weak));

// Whether there is one to be taken; `arg` is a struct bm_linux_signals. A condition for bm_wait_until: who
// sends one wakes the thread.
bool bm_linux_signal_ready(void *arg) __attribute__((weak));

// Blocks the signals of `mask` from now on, as far as they can be, and returns those that were blocked
// before.
uint64_t bm_linux_signal_mask(struct bm_linux_signals *signals, uint64_t mask) __attribute__((weak));

// Runs the handlers of those that are ready, of the calling thread.
void bm_linux_signal_take(struct bm_linux_signals *signals) __attribute__((weak));
