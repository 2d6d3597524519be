// Wait queues.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A waiter stands on the stack of who waits: whoever wakes it takes it out of the queue and reads its context
// first, and says last that it was woken. From then on only the number is used.
#include <baremetal/waitqueue.h>

#include <baremetal/assert.h>
#include <baremetal/wait.h>

#include <stddef.h>

void bm_waitqueue_join(struct bm_waitqueue *queue, struct bm_waiter *waiter)
{
    BM_ASSERT(atomic_load_explicit(&queue->lock.locked, memory_order_relaxed),
              "a queue's lock must be held by who changes it");
    waiter->context = bm_context_id();
    waiter->next = NULL;
    waiter->previous = queue->last;
    if (queue->last)
        queue->last->next = waiter;
    else
        atomic_store(&queue->first, waiter);
    queue->last = waiter;
    atomic_store_explicit(&waiter->queue, queue, memory_order_relaxed);
}

static void take_out(struct bm_waitqueue *queue, struct bm_waiter *waiter)
{
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        queue->last = waiter->previous;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        atomic_store_explicit(&queue->first, waiter->next, memory_order_relaxed);
}

void bm_waitqueue_wake(struct bm_waitqueue *queue, struct bm_waiter *waiter)
{
    BM_ASSERT(atomic_load_explicit(&queue->lock.locked, memory_order_relaxed),
              "a queue's lock must be held by who changes it");
    BM_ASSERT(atomic_load_explicit(&waiter->queue, memory_order_relaxed) == queue,
              "a waiter must stand in the queue");
    unsigned context = waiter->context;
    take_out(queue, waiter);
    atomic_store_explicit(&waiter->queue, NULL, memory_order_release);
    bm_context_wake(context);
}

void bm_waitqueue_move(struct bm_waitqueue *from, struct bm_waitqueue *to, struct bm_waiter *waiter)
{
    BM_ASSERT(atomic_load_explicit(&waiter->queue, memory_order_relaxed) == from,
              "a waiter must stand in the queue");
    unsigned context = waiter->context;
    take_out(from, waiter);
    bm_waitqueue_join(to, waiter);
    waiter->context = context;
}

static bool woken(void *arg)
{
    struct bm_waiter *waiter = arg;
    return !atomic_load_explicit(&waiter->queue, memory_order_acquire);
}

struct bm_waitqueue *bm_waitqueue_lock_of(struct bm_waiter *waiter)
{
    for (;;) {
        struct bm_waitqueue *queue = atomic_load_explicit(&waiter->queue, memory_order_acquire);
        if (!queue)
            return NULL;
        bm_spinlock_acquire(&queue->lock);
        if (atomic_load_explicit(&waiter->queue, memory_order_relaxed) == queue)
            return queue;
        bm_spinlock_release(&queue->lock);
    }
}

bool bm_waitqueue_leave(struct bm_waiter *waiter)
{
    BM_ASSERT_NO_HANDLER();
    struct bm_waitqueue *queue = bm_waitqueue_lock_of(waiter);
    if (!queue)
        return true;
    take_out(queue, waiter);
    bm_spinlock_release(&queue->lock);
    return false;
}

bool bm_waitqueue_sleep(struct bm_waiter *waiter, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    return bm_wait_woken(woken, waiter, deadline) || bm_waitqueue_leave(waiter);
}

struct attempt {
    struct bm_waiter waiter;
    bool (*condition)(void *arg);
    void *arg;
};

static bool woken_or_true(void *arg)
{
    struct attempt *attempt = arg;
    return woken(&attempt->waiter) || attempt->condition(attempt->arg);
}

bool bm_waitqueue_wait(struct bm_waitqueue *queue, bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    struct attempt attempt = {.condition = condition, .arg = arg};
    bool result = condition(arg), in_time = true;
    while (!result && in_time) {
        bm_spinlock_acquire(&queue->lock);
        bm_waitqueue_join(queue, &attempt.waiter);
        bm_spinlock_release(&queue->lock);
        // Pairs with the fence between a change and the look at who waits.
        atomic_thread_fence(memory_order_seq_cst);
        in_time = bm_wait_woken(woken_or_true, &attempt, deadline);
        bool was_woken = bm_waitqueue_leave(&attempt.waiter);
        result = condition(arg);
        // Woken for something that it does not need: whoever comes next may.
        if (was_woken && !result && !in_time)
            bm_waitqueue_wake_one(queue);
    }
    return result;
}

static bool is_empty(struct bm_waitqueue *queue)
{
    atomic_thread_fence(memory_order_seq_cst);
    return !atomic_load_explicit(&queue->first, memory_order_relaxed);
}

bool bm_waitqueue_wake_one(struct bm_waitqueue *queue)
{
    BM_ASSERT_NO_HANDLER();
    if (is_empty(queue))
        return false;
    bm_spinlock_acquire(&queue->lock);
    struct bm_waiter *waiter = queue->first;
    if (waiter)
        bm_waitqueue_wake(queue, waiter);
    bm_spinlock_release(&queue->lock);
    return waiter;
}

void bm_waitqueue_wake_all(struct bm_waitqueue *queue)
{
    BM_ASSERT_NO_HANDLER();
    if (is_empty(queue))
        return;
    bm_spinlock_acquire(&queue->lock);
    while (queue->first)
        bm_waitqueue_wake(queue, queue->first);
    bm_spinlock_release(&queue->lock);
}
