// Signals of each thread, and how they end a wait. Weak: programs without signals do not link them.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/futex.h>

// Main and the cores by themselves share one. That of a thread stays with the thread's structure.
struct bm_linux_signals {
    _Atomic(uint64_t) blocked, pending;
    _Atomic(const bm_futex *) word; // that the thread waits for
};

struct bm_linux_signals *bm_linux_signals_self(void) __attribute__((weak));

// Whether there is one to be taken; `arg` is a struct bm_linux_signals. A condition for bm_wait_until: who
// sends one wakes the thread.
bool bm_linux_signal_ready(void *arg) __attribute__((weak));

// Runs the handlers of those that are ready, of the calling thread.
void bm_linux_signal_take(struct bm_linux_signals *signals) __attribute__((weak));
