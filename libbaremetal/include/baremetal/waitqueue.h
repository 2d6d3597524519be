// Wait queues: contexts that wait for something by name, and are woken one by one or all.
// SPDX-License-Identifier: MIT
//
// A queue belongs to what is waited for: a socket, a pipe, a semaphore. Who changes that wakes the queue;
// nobody asks the conditions of those that wait elsewhere. Main, threads and work items may wait (wait.h);
// in programs without threads a core that waits serves the devices meanwhile, as in bm_wait_until.
#pragma once

#include <baremetal/lock.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_waiter;

// A queue; all zeros is an empty one. The members are the queue's.
struct bm_waitqueue {
    struct bm_spinlock lock;
    BM_ATOMIC(struct bm_waiter *) first; // the one that waits longest
    struct bm_waiter *last;
};

// The initial value of a queue in which nobody waits.
#define BM_WAITQUEUE_INIT                                                                                    \
    {                                                                                                        \
        BM_SPINLOCK_INIT, 0, 0                                                                               \
    }

// One that waits in a queue; on its stack as long as it waits. The members are the queue's.
struct bm_waiter {
    struct bm_waiter *next, *previous;
    BM_ATOMIC(struct bm_waitqueue *) queue; // it stands in; NULL once it was woken
    unsigned context;
};

// Waits until condition(arg) is true or the time `deadline` (nanoseconds of bm_time_monotonic(); UINT64_MAX:
// no limit) has come; returns whether the condition was true. It is looked at first and after every wake-up,
// by the caller's context, without a lock; it may be looked at again after it was true. Whoever makes it true
// calls bm_waitqueue_wake_one or _all afterwards. Any core, not in handlers or pollers, with no spinlock
// held.
bool bm_waitqueue_wait(struct bm_waitqueue *queue, bool (*condition)(void *arg), void *arg,
                       uint64_t deadline);

// Wakes the one that has waited longest, if any waits. Returns whether one did. For changes that suffice for
// one, such as an item put into a list. Any core, not in handlers.
bool bm_waitqueue_wake_one(struct bm_waitqueue *queue);

// Wakes all that wait in the queue. Any core, not in handlers. (Like bm_waitqueue_wake_one it looks at the
// queue after the condition came true, so the queue must outlast that call, not just its waiters.)
void bm_waitqueue_wake_all(struct bm_waitqueue *queue);

// The steps of the above, for services whose condition changes under the queue's own lock (futex.h).

// Puts the caller's waiter at the end. Under the queue's lock, which the caller takes and releases.
void bm_waitqueue_join(struct bm_waitqueue *queue, struct bm_waiter *waiter);

// Waits until the waiter has been woken or the time `deadline` (as above) has come; it is in no queue then.
// Returns whether it was woken. With no lock held.
bool bm_waitqueue_sleep(struct bm_waiter *waiter, uint64_t deadline);

// Takes a waiter out of its queue unless somebody has woken it; returns whether somebody has. By who joined,
// not in handlers.
bool bm_waitqueue_leave(struct bm_waiter *waiter);

// Takes the lock of the queue that a waiter stands in, which may change meanwhile, and returns the queue;
// NULL: it stands in none, since it was woken or has not joined one. Any core, not in handlers. By others
// than who joined only while that one cannot go on.
struct bm_waitqueue *bm_waitqueue_lock_of(struct bm_waiter *waiter);

// Takes a waiter out of its queue, and makes its bm_waitqueue_sleep return true. Under the queue's lock. The
// waiter may be gone when this returns.
void bm_waitqueue_wake(struct bm_waitqueue *queue, struct bm_waiter *waiter);

// Moves a waiter to the end of another queue without waking it. Under both queues' locks.
void bm_waitqueue_move(struct bm_waitqueue *from, struct bm_waitqueue *to, struct bm_waiter *waiter);

#ifdef __cplusplus
}
#endif
