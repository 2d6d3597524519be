// Where a core's items wait: adding, looking for and taking them. Private to work/.
// SPDX-License-Identifier: MIT
//
// Each core has a place for the item that it submitted last; a deque, which takes the items before that; a
// list of items that found the deque full, or that an interrupt handler pushed out of the place; and a list
// of items for this core alone. Other cores take from all but that one.
#pragma once

#include "../wait/hooks.h"
#include "deque.h"
#include "idle.h"

#include <baremetal/compiler.h>
#include <baremetal/work.h>

struct bm_queue {
    struct bm_deque deque;
    _Alignas(64) _Atomic(struct bm_work *) last;   // submitted, NULL when it was taken
    _Alignas(64) _Atomic(struct bm_work *) shared; // newest first
    _Atomic(struct bm_work *) pinned;              // newest first
    _Atomic(uint8_t) marks;                        // enum bm_queue_mark, by bits
    struct bm_work *own;                           // taken from `pinned`, oldest first: of this core
    struct bm_queue *victim;                       // where this core stole last
    _Atomic(struct bm_queue *) next;               // the cores' queues form a ring
};

enum bm_queue_mark {
    BM_QUEUE_PINNED = 1,           // look at `pinned` and `own`
    BM_QUEUE_FIBER = BM_FIBER_MARK // a thread runs on this core, not the core by itself
};

_Static_assert(offsetof(struct bm_queue, marks) == BM_CORE_QUEUE_MARKS, "where wait/fiber.c sets its own");

static inline struct bm_queue *bm_queue_own(void)
{
    return *bm_work_local();
}

// By the core that the queue belongs to, also in interrupt handlers: adds an item and wakes a core for it.
void bm_queue_keep(struct bm_queue *queue, struct bm_work *work);
static inline void bm_queue_add(struct bm_queue *queue, struct bm_work *work)
{
    struct bm_work *before = atomic_exchange(&queue->last, work);
    // The exchange is a fence between the item and this look at who sleeps (halt.c).
    if (before)
        bm_queue_keep(queue, before);
    else if (bm_halt_sleepers())
        bm_halt_wake_any();
}

// By any core: adds an item for core `core` alone and wakes that.
void bm_queue_add_pinned(unsigned core, struct bm_work *work);

// Takes an item that the calling core may run: the youngest of its own, else the oldest of another core's.
// NULL when there is none, or another core was faster.
struct bm_work *bm_queue_find(void);

// Whether there seems to be an item that the calling core may run.
bool bm_queue_filled(void);
