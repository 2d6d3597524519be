// Futexes: moving those that wait from one word to another.
// SPDX-License-Identifier: MIT
#include "futex.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>

// Two queues are locked in the order of their addresses.
static void lock_both(struct bm_waitqueue *a, struct bm_waitqueue *b)
{
    bm_spinlock_acquire(a < b ? &a->lock : &b->lock);
    if (a != b)
        bm_spinlock_acquire(a < b ? &b->lock : &a->lock);
}

static void release_both(struct bm_waitqueue *a, struct bm_waitqueue *b)
{
    bm_spinlock_release(&a->lock);
    if (a != b)
        bm_spinlock_release(&b->lock);
}

static unsigned move_some(struct bm_waitqueue *from, const bm_futex *key, unsigned count,
                          struct bm_waitqueue *to, const bm_futex *new_key)
{
    unsigned moved = 0;
    struct futex_waiter *waiter = bm_futex_find(from->first, key, BM_FUTEX_ALL);
    while (waiter && moved < count) {
        struct bm_waiter *next = waiter->waiter.next;
        waiter->key = new_key;
        if (from != to)
            bm_waitqueue_move(from, to, &waiter->waiter);
        waiter = bm_futex_find(next, key, BM_FUTEX_ALL);
        moved++;
    }
    return moved;
}

int bm_futex_requeue_as(const bm_futex *word, const bm_futex *key, unsigned wake_count, unsigned move,
                        const bm_futex *to, const uint32_t *expected)
{
    BM_ASSERT_NO_HANDLER();
    struct bm_waitqueue *from_queue = bm_futex_queue(key), *to_queue = bm_futex_queue(to);
    int result = -BM_EAGAIN;
    if (expected)
        (void)atomic_load(word); // a page that comes when it is touched comes now, not under the locks
    lock_both(from_queue, to_queue);
    if (!expected || atomic_load(word) == *expected) {
        result = (int)bm_futex_wake_locked(from_queue, key, wake_count, BM_FUTEX_ALL);
        result += (int)move_some(from_queue, key, move, to_queue, to); // `to` may be the same one
    }
    release_both(from_queue, to_queue);
    return result;
}

int bm_futex_requeue(const bm_futex *word, unsigned wake_count, unsigned move, const bm_futex *to,
                     const uint32_t *expected)
{
    BM_ASSERT_NO_HANDLER();
    return bm_futex_requeue_as(word, word, wake_count, move, to, expected);
}
