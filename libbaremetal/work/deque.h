// A work-stealing deque of fixed size: its owner pushes and takes at the bottom, others steal at the top.
// SPDX-License-Identifier: MIT
//
// Chase and Lev, "Dynamic Circular Work-Stealing Deque" (SPAA 2005), with the memory orders of Lê, Pop, Cohen
// and Nardelli, "Correct and Efficient Work-Stealing for Weak Memory Models" (PPoPP 2013), figure 1. The
// array does not grow: push says when it is full.
#pragma once

#include <baremetal/assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bm_work;

enum { BM_DEQUE_SIZE = 256 }; // a power of two
_Static_assert((BM_DEQUE_SIZE & (BM_DEQUE_SIZE - 1)) == 0, "indices wrap by masking");

struct bm_deque {
    _Alignas(64) _Atomic(int64_t) top;    // next to steal
    _Alignas(64) _Atomic(int64_t) bottom; // next free place
    _Atomic(struct bm_work *) items[BM_DEQUE_SIZE];
};

// By the owner. Returns false when the deque is full.
static inline bool bm_deque_push(struct bm_deque *deque, struct bm_work *work)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    BM_ASSERT_HERE(bottom - top <= BM_DEQUE_SIZE, "a deque holds no more than its size");
    if (bottom - top >= BM_DEQUE_SIZE)
        return false;
    atomic_store_explicit(&deque->items[bottom & (BM_DEQUE_SIZE - 1)], work, memory_order_relaxed);
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return true;
}

// By the owner: the youngest item, NULL when there is none.
static inline struct bm_work *bm_deque_take(struct bm_deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed) - 1;
    if (bottom < atomic_load_explicit(&deque->top, memory_order_relaxed))
        return NULL; // empty for sure: top never goes back
    atomic_store_explicit(&deque->bottom, bottom, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_relaxed);
    struct bm_work *work = NULL;
    if (top <= bottom) {
        work = atomic_load_explicit(&deque->items[bottom & (BM_DEQUE_SIZE - 1)], memory_order_relaxed);
        if (top < bottom)
            return work;
        // The last one: a thief may be after it, too.
        if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1, memory_order_seq_cst,
                                                     memory_order_relaxed))
            work = NULL;
    }
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_relaxed);
    return work;
}

// By anyone: the oldest item, NULL when there is none or somebody else was faster.
static inline struct bm_work *bm_deque_steal(struct bm_deque *deque)
{
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    atomic_thread_fence(memory_order_seq_cst);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_acquire);
    if (top >= bottom)
        return NULL;
    struct bm_work *work =
        atomic_load_explicit(&deque->items[top & (BM_DEQUE_SIZE - 1)], memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1, memory_order_seq_cst,
                                                 memory_order_relaxed))
        return NULL;
    return work;
}

// Whether there seems to be an item. By anyone.
static inline bool bm_deque_filled(struct bm_deque *deque)
{
    return atomic_load_explicit(&deque->top, memory_order_relaxed) <
           atomic_load_explicit(&deque->bottom, memory_order_relaxed);
}
