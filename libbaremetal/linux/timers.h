// Timers that send signals: what interval timers and those of timer_create share.
// SPDX-License-Identifier: MIT
#pragma once

#include "signals.h"

// All zeros but for `own.what` and `to` is one that is not set. In memory that is never given back.
struct bm_linux_timer {
    uint64_t deadline; // nanoseconds of bm_time_monotonic(); 0: it is not set
    uint64_t interval; // nanoseconds; 0: once
    uint64_t wall;     // the time of day that is meant, which may be set; 0: none
    bool sends;        // else it only counts (SIGEV_NONE)
    bool listed;       // it waits for its deadline
    bool awaits;       // its signal is pending: the next deadline is found when that has been taken
    struct bm_linux_timer *next, *previous;
    struct bm_linux_queued own;  // its signal
    struct bm_linux_signals *to; // NULL: the process
    unsigned generation;         // of `to`: who has it later is not meant
};

// Time that is left, and between two.
struct bm_linux_times {
    uint64_t left, interval; // nanoseconds; left 0: not set
};

// Sets a timer to `wanted.left` from now, or with a wall time to that; what is pending of it is taken back.
// Returns what it was. A thread, main or another.
struct bm_linux_times bm_linux_timer_set(struct bm_linux_timer *timer, struct bm_linux_times wanted,
                                         uint64_t wall);
struct bm_linux_times bm_linux_timer_get(struct bm_linux_timer *timer);
