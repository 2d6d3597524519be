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
    _Atomic(bool) interrupted; // asked for
    bool was_interrupted;      // bm_futex_interrupt woke it, nobody else
};

// bm_futex_wait with a waiter of the caller's, all zeros, that others may interrupt meanwhile: then
// -BM_EINTR.
int bm_futex_wait_as(struct futex_waiter *self, const bm_futex *word, uint32_t expected, uint32_t bits,
                     uint64_t deadline);

// Ends the wait of a waiter, or the one that it is about to begin, whichever word it waits for by now, unless
// it was woken. The caller sees to it that the waiter stays where it is. Any core, not in handlers.
void bm_futex_interrupt(struct futex_waiter *waiter);

// The word by which a word is to be waited for and woken that may be mapped at several addresses. Of the
// program's address space, which links it where files are mapped shared. The page stays as long as the file
// has it; who waits for one that is cut off is not woken any more. Any core, not in handlers.
const bm_futex *bm_futex_shared_word(const bm_futex *word) __attribute__((weak));
static inline const bm_futex *bm_futex_everywhere(const bm_futex *word)
{
    return bm_futex_shared_word ? bm_futex_shared_word(word) : word;
}

// The queue that holds the waiters of the word, and of others.
struct bm_waitqueue *bm_futex_queue(const bm_futex *word);

// The next waiter for the word from there on that has one of the bits. Under the queue's lock.
struct futex_waiter *bm_futex_find(struct bm_waiter *from, const bm_futex *word, uint32_t bits);

// bm_futex_wake under the queue's lock.
unsigned bm_futex_wake_locked(struct bm_waitqueue *queue, const bm_futex *word, unsigned count,
                              uint32_t bits);
