// A core's queue of threads that can run. Host tests run it, too.
// SPDX-License-Identifier: MIT
//
// One queue a core, each under a lock of its own that is held for a few instructions: a core that makes
// threads run, and runs them, touches no line of another core; one that idles takes the oldest thread of
// another. Order is first in, first out, so that whoever yields sees everybody else run first.
#pragma once

#include "fiber.h"

#include <baremetal/lock.h>

struct bm_fiber_list {
    struct bm_fiber *_Atomic first; // looked at without the lock by cores that seek work
    struct bm_fiber *last;
};

struct bm_runqueue {
    _Alignas(64) struct bm_spinlock lock;
    bool shared_first;              // is looked at first the next time: the two take turns
    struct bm_fiber_list shared;    // any core may take these
    struct bm_fiber_list pinned;    // this core alone
    struct bm_fiber_list computing; // any core may take these, whose time slice has ended
};

// Adds a fiber at the end. Returns whether there were others, so that one more core is of use.
static inline bool bm_fiber_list_add(struct bm_fiber_list *list, struct bm_fiber *fiber)
{
    fiber->next = NULL;
    bool others = atomic_load_explicit(&list->first, memory_order_relaxed);
    if (others)
        list->last->next = fiber;
    else
        atomic_store_explicit(&list->first, fiber, memory_order_relaxed);
    list->last = fiber;
    return others;
}

static inline struct bm_fiber *bm_fiber_list_take(struct bm_fiber_list *list)
{
    struct bm_fiber *fiber = atomic_load_explicit(&list->first, memory_order_relaxed);
    if (fiber)
        atomic_store_explicit(&list->first, fiber->next, memory_order_relaxed);
    return fiber;
}

static inline bool bm_fiber_list_filled(struct bm_fiber_list *list)
{
    return atomic_load(&list->first);
}

static inline bool bm_runqueue_add(struct bm_runqueue *queue, struct bm_fiber *fiber)
{
    bm_spinlock_acquire_inline(&queue->lock);
    bool others = bm_fiber_list_add(fiber->pins ? &queue->pinned : &queue->shared, fiber);
    others |= atomic_load_explicit(&queue->computing.first, memory_order_relaxed) != NULL;
    bm_spinlock_release(&queue->lock);
    return others;
}

// By the queue's core: the next to run, NULL when there is none.
static inline struct bm_fiber *bm_runqueue_take(struct bm_runqueue *queue)
{
    if (!atomic_load_explicit(&queue->shared.first, memory_order_relaxed) &&
        !atomic_load_explicit(&queue->pinned.first, memory_order_relaxed))
        return NULL;
    bm_spinlock_acquire_inline(&queue->lock);
    struct bm_fiber *fiber = bm_fiber_list_take(queue->shared_first ? &queue->shared : &queue->pinned);
    if (!fiber)
        fiber = bm_fiber_list_take(queue->shared_first ? &queue->pinned : &queue->shared);
    queue->shared_first = !queue->shared_first;
    bm_spinlock_release(&queue->lock);
    return fiber;
}

// Whether a thread that yields can hand its turn on within the shared list: no other core may need to be
// asked, and the two lists need not take turns.
static inline bool bm_runqueue_turns(const struct bm_runqueue *queue, const struct bm_fiber *fiber)
{
    return atomic_load_explicit(&queue->shared.first, memory_order_relaxed) &&
           !atomic_load_explicit(&queue->pinned.first, memory_order_relaxed) && !fiber->pins;
}

// Under the lock: takes the first of the shared list and adds a thread at its end; NULL, and nothing added,
// when another core took the last one. Nobody else comes to the lock before the thread's registers are
// saved: whoever runs next on this core releases it.
static inline struct bm_fiber *bm_runqueue_turn(struct bm_runqueue *queue, struct bm_fiber *fiber)
{
    struct bm_fiber_list *list = &queue->shared;
    struct bm_fiber *first = atomic_load_explicit(&list->first, memory_order_relaxed);
    if (!first)
        return NULL;
    fiber->next = NULL;
    list->last->next = fiber; // of itself when it is the only one
    list->last = fiber;
    atomic_store_explicit(&list->first, first->next, memory_order_relaxed);
    return first;
}
// Adds one whose time slice has ended: it goes behind those that wait often, who are soon done.
static inline void bm_runqueue_add_computing(struct bm_runqueue *queue, struct bm_fiber *fiber)
{
    bm_spinlock_acquire_inline(&queue->lock);
    bm_fiber_list_add(&queue->computing, fiber);
    bm_spinlock_release(&queue->lock);
}

static inline struct bm_fiber *bm_runqueue_take_computing(struct bm_runqueue *queue)
{
    if (!atomic_load_explicit(&queue->computing.first, memory_order_relaxed))
        return NULL;
    bm_spinlock_acquire_inline(&queue->lock);
    struct bm_fiber *fiber = bm_fiber_list_take(&queue->computing);
    bm_spinlock_release(&queue->lock);
    return fiber;
}

// Whether there is one that another core may take.
static inline bool bm_runqueue_offers(struct bm_runqueue *queue)
{
    return bm_fiber_list_filled(&queue->shared) || bm_fiber_list_filled(&queue->computing);
}

// By another core.
static inline struct bm_fiber *bm_runqueue_steal(struct bm_runqueue *queue)
{
    if (!bm_runqueue_offers(queue) || !bm_spinlock_try(&queue->lock))
        return NULL;
    struct bm_fiber *fiber = bm_fiber_list_take(&queue->shared);
    if (!fiber)
        fiber = bm_fiber_list_take(&queue->computing);
    bm_spinlock_release(&queue->lock);
    return fiber;
}
