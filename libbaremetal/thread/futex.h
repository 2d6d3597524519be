// What futex.c and requeue.c share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/futex.h>
#include <baremetal/waitqueue.h>

// One that waits for a word.
struct futex_waiter {
    struct bm_waiter waiter; // first
    const bm_futex *word;
    uint32_t bits;
};

// The queue that holds the waiters of the word, and of others.
struct bm_waitqueue *bm_futex_queue(const bm_futex *word);

// The next waiter for the word from there on that has one of the bits. Under the queue's lock.
struct futex_waiter *bm_futex_find(struct bm_waiter *from, const bm_futex *word, uint32_t bits);

// bm_futex_wake under the queue's lock.
unsigned bm_futex_wake_locked(struct bm_waitqueue *queue, const bm_futex *word, unsigned count,
                              uint32_t bits);
