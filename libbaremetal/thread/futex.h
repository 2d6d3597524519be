// What futex.c and requeue.c share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/futex.h>
#include <baremetal/waitqueue.h>

// One that waits for a word.
struct futex_waiter {
    struct bm_waiter waiter; // first
    const bm_futex *key;     // what it is found by, never followed
    uint32_t bits;
    _Atomic(bool) interrupted; // asked for
    bool was_interrupted;      // bm_futex_interrupt woke it, nobody else
};

// bm_futex_wait with a waiter of the caller's, all zeros, that others may interrupt meanwhile: then
// -BM_EINTR. Who wakes it names `key`, which is the word, or what bm_futex_everywhere makes of it.
int bm_futex_wait_as(struct futex_waiter *self, const bm_futex *word, const bm_futex *key, uint32_t expected,
                     uint32_t bits, uint64_t deadline);

// Ends the wait of a waiter, or the one that it is about to begin, whichever word it waits for by now, unless
// it was woken. The caller sees to it that the waiter stays where it is. Any core, not in handlers.
void bm_futex_interrupt(struct futex_waiter *waiter);

// The key of a word that may be mapped at several addresses: its file and its place there, not its page,
// which may leave the file and come back as another one. Of the program's address space, which links it where
// files are mapped shared. It is no address. Who stores to a word that others may unmap then asks for it
// before. Any core, not in handlers.
const bm_futex *bm_futex_shared_key(const bm_futex *word) __attribute__((weak));
static inline const bm_futex *bm_futex_everywhere(const bm_futex *word)
{
    return bm_futex_shared_key ? bm_futex_shared_key(word) : word;
}

// The queue that holds the waiters of the key, and of others.
struct bm_waitqueue *bm_futex_queue(const bm_futex *key);

// The next waiter for the key from there on that has one of the bits. Under the queue's lock.
struct futex_waiter *bm_futex_find(struct bm_waiter *from, const bm_futex *key, uint32_t bits);

// bm_futex_wake under the queue's lock.
unsigned bm_futex_wake_locked(struct bm_waitqueue *queue, const bm_futex *key, unsigned count, uint32_t bits);

// bm_futex_requeue where the keys are not the words.
int bm_futex_requeue_as(const bm_futex *word, const bm_futex *key, unsigned wake, unsigned move,
                        const bm_futex *to, const uint32_t *expected);
