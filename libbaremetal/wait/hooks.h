// What waiting calls of the threads' run-time (fiber.c): only in images whose program makes threads.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BM_FIBER_OPTIONAL __attribute__((weak))

enum { BM_FIBER_MARK = 2 }; // in the marks of a core's queue of work: a thread runs there

// bm_wait_until, and bm_wait_woken when it will be `woken` by name.
bool bm_fiber_wait(bool (*condition)(void *arg), void *arg, uint64_t deadline, bool woken) BM_FIBER_OPTIONAL;

// bm_halt_idle: runs threads meanwhile.
void bm_fiber_idle(bool (*condition)(void *arg), void *arg) BM_FIBER_OPTIONAL;

// A poller had work: threads look again at what they wait for, but those that will be woken by name.
void bm_fiber_polled(void) BM_FIBER_OPTIONAL;

// Wakes a thread by its context's number, or all of them; returns false when cores have to be woken.
bool bm_fiber_context_wake(unsigned context) BM_FIBER_OPTIONAL;

// Lets others run, for who waits for a lock that a thread may hold while it waits.
void bm_fiber_yield(void) BM_FIBER_OPTIONAL;

// Keeps the calling thread on its core, where it runs an item of work; counted.
void bm_fiber_pin(int change) BM_FIBER_OPTIONAL;
static inline void bm_fiber_pinned(int change)
{
    if (bm_fiber_pin)
        bm_fiber_pin(change);
}

// The calling thread has taken a lock of the C library, or given it back: it keeps its core meanwhile however
// long it computes, since others may spin for the lock where they cannot wait; counted.
void bm_fiber_keep(int change) BM_FIBER_OPTIONAL;

// linux/signal_queue.c, in programs with signals: whether one is there that the calling thread is to take.
// Who sends one wakes the thread. A wait that a signal may end asks this in its condition (bm_wait_signal).
bool bm_signal_ready(void) BM_FIBER_OPTIONAL;
static inline bool bm_wait_signalled(void)
{
    return bm_signal_ready && bm_signal_ready();
}
// Beside the numbers of error.h; Linux' ERESTARTSYS, ERESTARTNOINTR and ERESTARTNOHAND: the second begins
// again whatever the handler, the third only when no handler runs. A call that fails so has nothing held and
// nothing done: it begins again, or the program sees -BM_EINTR.
enum { BM_ERESTART = 512, BM_ERESTART_ALWAYS = 513, BM_ERESTART_UNHANDLED = 514 };

// interrupt.c: waits until condition(arg) is true, as bm_waitqueue_wait in `queue` does, or with NULL as
// bm_wait_woken; a signal ends it, too. Returns 0 when the condition is true, whatever else has happened,
// -BM_EAGAIN when the time `deadline` has come (0: without waiting), and for a signal what the call that
// waits returns if it has done nothing yet: without a deadline -BM_ERESTART, with one
// -BM_ERESTART_UNHANDLED, since its time would begin anew (signal(7)).
struct bm_waitqueue;
int bm_wait_signal(struct bm_waitqueue *queue, bool (*condition)(void *arg), void *arg, uint64_t deadline);
