// Futexes: waiting for a word of memory to change, as C libraries build locks, conditions and semaphores.
// SPDX-License-Identifier: MIT
//
// The meaning is that of Linux' futex(2) for private addresses. A word is any aligned 32-bit word of memory;
// nothing has to be set up for it. Those who wait are kept by its address, first come, first woken.
#pragma once

#include <baremetal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef BM_ATOMIC(uint32_t) bm_futex; // a word that is waited for

#define BM_FUTEX_ALL UINT32_MAX // every bit: FUTEX_BITSET_MATCH_ANY

// Waits if *word still is `expected`, until a bm_futex_wake() on it whose bits share one with `bits` (not 0),
// or until the time `deadline` (nanoseconds of bm_time_monotonic(); UINT64_MAX: no limit). Looking at the
// word and beginning to wait are one step to those who wake. Returns 0 when it was woken, also in vain,
// -BM_EAGAIN when the word was different, -BM_ETIMEDOUT, or -BM_EINVAL when no bit is set. Any context that
// may wait (wait.h).
int bm_futex_wait(const bm_futex *word, uint32_t expected, uint32_t bits, uint64_t deadline);

// Wakes at most `count` of those that wait for the word with one of the bits; returns how many. The word
// itself is not looked at and may be gone. Any core, not in handlers.
unsigned bm_futex_wake(const bm_futex *word, unsigned count, uint32_t bits);

// Wakes at most `wake` of those that wait for the word, and lets at most `move` of the others wait for `to`
// from now on. With `expected` only if *word still is *expected, else it returns -BM_EAGAIN (futex(2):
// FUTEX_CMP_REQUEUE; without: FUTEX_REQUEUE). Returns how many were woken or moved. Any core, not in
// handlers.
int bm_futex_requeue(const bm_futex *word, unsigned wake, unsigned move, const bm_futex *to,
                     const uint32_t *expected);

#ifdef __cplusplus
}
#endif
