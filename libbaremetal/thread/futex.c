// Futexes: wait queues by address.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A queue holds the waiters of all words that hash to it. Who waits joins it and compares the word then; who
// wakes changes the word and looks at the queue then, without the lock when it is empty. Full fences lie
// between, so either the one sees the change or the other the waiter.
#include "futex.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>

#include <stdatomic.h>
#include <stddef.h>

enum { QUEUES_BITS = 8 };

static struct {
    _Alignas(64) struct bm_waitqueue queue;
} buckets[1 << QUEUES_BITS];

struct bm_waitqueue *bm_futex_queue(const bm_futex *key)
{
    uint64_t hash = ((uint64_t)key >> 2) * 0x9e3779b97f4a7c15; // Fibonacci hashing (Knuth, volume 3, 6.4)
    return &buckets[hash >> (64 - QUEUES_BITS)].queue;
}

// Of who left the queue or was woken; `otherwise`: of who left it.
static int result_of(const struct futex_waiter *self, bool woken, int otherwise)
{
    return !woken ? otherwise : self->was_interrupted ? -BM_EINTR : 0;
}

int bm_futex_wait_as(struct futex_waiter *self, const bm_futex *word, const bm_futex *key, uint32_t expected,
                     uint32_t bits, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT((uintptr_t)word % sizeof *word == 0, "a futex must be aligned");
    struct bm_waitqueue *queue = bm_futex_queue(key);
    self->key = key;
    self->bits = bits;
    if (!bits)
        return -BM_EINVAL;
    if (atomic_load(word) != expected)
        return -BM_EAGAIN;
    bm_spinlock_acquire(&queue->lock);
    bm_waitqueue_join(queue, &self->waiter);
    bm_spinlock_release(&queue->lock);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(word, memory_order_relaxed) != expected) // woken already: that was this one's
        return result_of(self, bm_waitqueue_leave(&self->waiter), -BM_EAGAIN);
    if (atomic_load_explicit(&self->interrupted, memory_order_relaxed))
        return result_of(self, bm_waitqueue_leave(&self->waiter), -BM_EINTR);
    return result_of(self, bm_waitqueue_sleep(&self->waiter, deadline), -BM_ETIMEDOUT);
}

int bm_futex_wait(const bm_futex *word, uint32_t expected, uint32_t bits, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT((uintptr_t)word % sizeof *word == 0, "a futex must be aligned");
    struct futex_waiter self = {0};
    return bm_futex_wait_as(&self, word, word, expected, bits, deadline);
}

// It is asked for before the look at the queue, so who joins later sees that, behind a fence.
void bm_futex_interrupt(struct futex_waiter *waiter)
{
    BM_ASSERT_NO_HANDLER();
    atomic_store(&waiter->interrupted, true);
    struct bm_waitqueue *queue = bm_waitqueue_lock_of(&waiter->waiter);
    if (!queue)
        return;
    waiter->was_interrupted = true;
    bm_waitqueue_wake(queue, &waiter->waiter);
    bm_spinlock_release(&queue->lock);
}

struct futex_waiter *bm_futex_find(struct bm_waiter *from, const bm_futex *key, uint32_t bits)
{
    struct futex_waiter *waiter = (struct futex_waiter *)from;
    while (waiter && (waiter->key != key || !(waiter->bits & bits)))
        waiter = (struct futex_waiter *)waiter->waiter.next;
    return waiter;
}

unsigned bm_futex_wake_locked(struct bm_waitqueue *queue, const bm_futex *key, unsigned count, uint32_t bits)
{
    unsigned woken = 0;
    struct futex_waiter *waiter = bm_futex_find(queue->first, key, bits);
    while (waiter && woken < count) {
        struct bm_waiter *next = waiter->waiter.next;
        bm_waitqueue_wake(queue, &waiter->waiter);
        waiter = bm_futex_find(next, key, bits);
        woken++;
    }
    return woken;
}

unsigned bm_futex_wake(const bm_futex *word, unsigned count, uint32_t bits)
{
    BM_ASSERT_NO_HANDLER();
    struct bm_waitqueue *queue = bm_futex_queue(word);
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&queue->first, memory_order_relaxed))
        return 0;
    bm_spinlock_acquire(&queue->lock);
    unsigned woken = bm_futex_wake_locked(queue, word, count, bits);
    bm_spinlock_release(&queue->lock);
    return woken;
}
