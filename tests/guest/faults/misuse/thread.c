// Rules of thread.h, waitqueue.h and futex.h.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/futex.h>
#include <baremetal/lock.h>
#include <baremetal/switch.h>
#include <baremetal/thread.h>
#include <baremetal/waitqueue.h>
#include <baremetal/work.h>
#include <threads.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static struct bm_waitqueue queue = BM_WAITQUEUE_INIT;
static struct bm_waiter waiter;
static bm_futex words[2];

static void *end(void *arg)
{
    return arg;
}

static bool yes(void *arg)
{
    (void)arg;
    return true;
}

// @misuse thread_without_function bm_thread_create: a thread must have a function
MISUSE(thread_without_function)
{
    struct bm_thread *thread;
    bm_thread_create(&thread, NULL, NULL, NULL);
}

// @misuse handler_makes_thread bm_thread_create: it must not be called in an interrupt handler
MISUSE(handler_makes_thread)
{
    struct bm_thread *thread;
    bm_thread_create(&thread, end, NULL, NULL);
}

MISUSE(thread_made_in_handler)
{
    misuse_in_handler(handler_makes_thread);
}

// @misuse thread_joined_twice bm_thread_join: a thread that was joined must not be named again
MISUSE(thread_joined_twice)
{
    struct bm_thread *thread;
    bm_thread_create(&thread, end, NULL, NULL);
    bm_thread_join(thread, NULL, UINT64_MAX);
    bm_thread_join(thread, NULL, UINT64_MAX);
}

// @misuse thread_detached_late bm_thread_detach: a thread that was joined must not be named again
MISUSE(thread_detached_late)
{
    struct bm_thread *thread;
    bm_thread_create(&thread, end, NULL, NULL);
    bm_thread_join(thread, NULL, UINT64_MAX);
    bm_thread_detach(thread);
}

// @misuse thread_joined_with_lock bm_thread_join: it must not be called with a spinlock held
MISUSE(thread_joined_with_lock)
{
    struct bm_thread *thread;
    bm_thread_create(&thread, end, NULL, NULL);
    bm_spinlock_acquire(&lock);
    bm_thread_join(thread, NULL, UINT64_MAX);
}

// @misuse thread_ended_by_item_of_other_core bm_thread_exit: an item of work must not end a thread
static __attribute__((noinline)) void thread_ended_by_item_of_other_core(void *arg)
{
    bm_thread_exit(arg);
}

MISUSE(item_of_other_core)
{
    static struct bm_work work;
    bm_work_init(&work, thread_ended_by_item_of_other_core, NULL);
    bm_work_submit_on(bm_core_count() - 1, &work);
    bm_work_wait(&work);
}

// @misuse yield_with_lock bm_thread_yield: it must not be called with a spinlock held
MISUSE(yield_with_lock)
{
    bm_spinlock_acquire(&lock);
    bm_thread_yield();
}

// @misuse poller_yields bm_thread_yield: it must not be called in a poller
MISUSE(poller_yields)
{
    bm_thread_yield();
}

MISUSE(yield_in_poller)
{
    misuse_in_poller(poller_yields);
}

// @misuse handler_waits_in_queue bm_waitqueue_wait: it must not be called in an interrupt handler
MISUSE(handler_waits_in_queue)
{
    bm_waitqueue_wait(&queue, yes, NULL, UINT64_MAX);
}

MISUSE(queue_in_handler)
{
    misuse_in_handler(handler_waits_in_queue);
}

// @misuse handler_wakes_queue bm_waitqueue_wake_all: it must not be called in an interrupt handler
MISUSE(handler_wakes_queue)
{
    bm_waitqueue_wake_all(&queue);
}

MISUSE(queue_woken_in_handler)
{
    misuse_in_handler(handler_wakes_queue);
}

// @misuse queue_without_lock bm_waitqueue_join: a queue's lock must be held by who changes it
MISUSE(queue_without_lock)
{
    bm_waitqueue_join(&queue, &waiter);
}

// @misuse waiter_woken_twice bm_waitqueue_wake: a waiter must stand in the queue
MISUSE(waiter_woken_twice)
{
    bm_spinlock_acquire(&queue.lock);
    bm_waitqueue_join(&queue, &waiter);
    bm_waitqueue_wake(&queue, &waiter);
    bm_waitqueue_wake(&queue, &waiter);
}

// @misuse futex_unaligned bm_futex_wait: a futex must be aligned
MISUSE(futex_unaligned)
{
    bm_futex_wait((bm_futex *)(void *)((char *)words + 2), 1, BM_FUTEX_ALL, 0);
}

// @misuse futex_with_lock bm_futex_wait: it must not be called with a spinlock held
MISUSE(futex_with_lock)
{
    bm_spinlock_acquire(&lock);
    bm_futex_wait(words, 1, BM_FUTEX_ALL, 0);
}

// @misuse sleep_where_forbidden bm_thread_sleep: it must not be called where bm_switch_forbid keeps the core
MISUSE(sleep_where_forbidden)
{
    bm_switch_forbid();
    bm_thread_sleep(0);
    bm_switch_allow();
}

// @misuse mutex_not_held mtx_unlock: the mutex must be held
MISUSE(mutex_not_held)
{
    mtx_t mutex;
    mtx_init(&mutex, mtx_plain);
    mtx_lock(&mutex);
    mtx_unlock(&mutex);
    mtx_unlock(&mutex);
}

static int take(void *mutex)
{
    return mtx_lock(mutex);
}

// @misuse mutex_of_other_thread mtx_unlock: a recursive mutex must be held by the caller
MISUSE(mutex_of_other_thread)
{
    static mtx_t mutex;
    thrd_t other;
    mtx_init(&mutex, mtx_recursive);
    thrd_create(&other, take, &mutex);
    thrd_join(other, NULL);
    mtx_unlock(&mutex);
}

const struct misuse misuse_thread[] = {
    MISUSE_CASE(thread_without_function),
    {"handler_makes_thread", thread_made_in_handler},
    MISUSE_CASE(thread_joined_twice),
    MISUSE_CASE(thread_detached_late),
    MISUSE_CASE(thread_joined_with_lock),
    {"thread_ended_by_item_of_other_core", item_of_other_core},
    MISUSE_CASE(yield_with_lock),
    {"poller_yields", yield_in_poller},
    {"handler_waits_in_queue", queue_in_handler},
    {"handler_wakes_queue", queue_woken_in_handler},
    MISUSE_CASE(queue_without_lock),
    MISUSE_CASE(waiter_woken_twice),
    MISUSE_CASE(futex_unaligned),
    MISUSE_CASE(futex_with_lock),
    MISUSE_CASE(sleep_where_forbidden),
    MISUSE_CASE(mutex_not_held),
    MISUSE_CASE(mutex_of_other_thread),
    MISUSE_END,
};
