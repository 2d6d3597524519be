// Halting a core and waking it.
// SPDX-License-Identifier: MIT
#pragma once

#include "../base/core.h"
#include "../base/start.h"

#include <stdatomic.h>
#include <stdbool.h>

// Announces that the core is about to halt, and takes that back. With `for_work`, a submitter of work may
// choose it to be woken.
void bm_halt_announce(struct bm_core *core, bool for_work);
void bm_halt_withdraw(struct bm_core *core, bool for_work);

// Halts until an interrupt or, where that takes none, until core->wake is set; not at all when it is set.
extern bool bm_halt_needs_interrupt;
void bm_halt(struct bm_core *core);

// wait.c, in images that serve devices: returns when the condition holds; devices are served meanwhile by one
// of the cores that idle.
void bm_wait_for_work(bool (*condition)(void *arg), void *arg) __attribute__((weak));

// wait.c: bm_wait_until on the calling core without looking for threads to run; what a core that served the
// devices calls before it goes to do other work.
bool bm_wait_core(bool (*condition)(void *arg), void *arg, uint64_t deadline);
void bm_wait_hand_over(void);

// wait.c: before a core looks at everything that it could have been woken for: takes bm_core_wake back, and
// shows threads that wait in bm_wait_until, which no core halts for, that something may have changed.
void bm_wait_wake_take(struct bm_core *core);

// wait.c: for the watchdog. The earliest time at which a poller that nobody served since wanted to be, in a
// number that changes when one is served; 0: none is late. Any context.
uint64_t bm_poll_overdue(unsigned *core);

// halt.c: waits until condition(arg) holds, serving devices and halting; the condition is looked at after
// every wake-up.
void bm_halt_idle(bool (*condition)(void *arg), void *arg);

// halt.c: the same without looking for threads to run.
void bm_halt_idle_core(bool (*condition)(void *arg), void *arg);

// halt.c: wakes one of the cores that have announced that they halt for want of work.
void bm_halt_wake_any(void);

// halt.c: how many these are.
extern _Atomic(unsigned) bm_halt_sleeper_count;
#ifdef BM_HOST_TEST
unsigned bm_halt_sleepers(void);
#else
static inline unsigned bm_halt_sleepers(void)
{
    return atomic_load_explicit(&bm_halt_sleeper_count, memory_order_relaxed);
}
#endif
