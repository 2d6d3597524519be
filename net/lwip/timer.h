// When the stack's timers want to run. Read without the core lock: a hint that is at most one wake-up late.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

void bm_net_timers_look(void); // a protocol may need its timer now; under the core lock
bool bm_net_timers_due(void);
uint64_t bm_net_timers_deadline(void); // nanoseconds of bm_time_monotonic()
uint64_t bm_net_now(void);             // milliseconds since boot

// A timer in memory of its owner, so that it never fails; handler and arg are the owner's to set. Under the
// core lock, in which the handler runs, too.
struct bm_net_timer {
    struct bm_net_timer *next; // later
    uint64_t due;              // milliseconds since boot
    void (*handler)(void *arg);
    void *arg;
    bool allocated; // by sys_timeout
};
void bm_net_timer_start(struct bm_net_timer *timer, uint64_t milliseconds); // from now; anew if it runs
void bm_net_timer_stop(struct bm_net_timer *timer);
