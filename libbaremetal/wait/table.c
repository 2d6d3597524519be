// The numbers of threads' contexts.
// SPDX-License-Identifier: MIT
#include "fiber.h"

#include "../cpu/hooks.h"

#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/wait.h>

enum { SLOTS = BM_PAGE_SIZE / sizeof(void *) };
_Static_assert((BM_CONTEXT_LAST - BM_CONTEXT_FIRST + 1) == SLOTS * SLOTS, "two levels of a page each");

// Read without the lock.
static struct bm_fiber *_Atomic *_Atomic pages[SLOTS];
static struct bm_fiber *_Atomic main_fiber;
static _Atomic(unsigned) used; // numbers, from BM_CONTEXT_FIRST on
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

struct bm_fiber *bm_fiber_get(unsigned context)
{
    if (context == BM_CONTEXT_MAIN)
        return atomic_load(&main_fiber);
    if (context - BM_CONTEXT_FIRST >= atomic_load(&used))
        return NULL;
    unsigned index = context - BM_CONTEXT_FIRST;
    return atomic_load_explicit(&pages[index / SLOTS][index % SLOTS], memory_order_acquire);
}

// Under the lock.
static struct bm_fiber *_Atomic *slot_make(unsigned index)
{
    if (index >= SLOTS * SLOTS)
        return NULL;
    if (!pages[index / SLOTS])
        pages[index / SLOTS] = bm_memory_permanent(BM_PAGE_SIZE, BM_PAGE_SIZE);
    return pages[index / SLOTS] ? &pages[index / SLOTS][index % SLOTS] : NULL;
}

bool bm_fiber_number(struct bm_fiber *fiber)
{
    if (fiber->context == BM_CONTEXT_MAIN) {
        atomic_store(&main_fiber, fiber);
        return true;
    }
    bm_spinlock_acquire(&lock);
    struct bm_fiber *_Atomic *slot = slot_make(used);
    if (slot) {
        fiber->context = BM_CONTEXT_FIRST + used;
        atomic_store_explicit(slot, fiber, memory_order_release);
        atomic_fetch_add(&used, 1);
    }
    bm_spinlock_release(&lock);
    return slot;
}

static void wake_all(void)
{
    struct bm_fiber *first = atomic_load(&main_fiber);
    if (first)
        bm_fiber_wake(first);
    for (unsigned i = 0; i < atomic_load(&used); i++)
        bm_fiber_wake(bm_fiber_get(BM_CONTEXT_FIRST + i));
}

bool bm_fiber_context_wake(unsigned context)
{
    if (context == BM_CONTEXT_ALL) {
        wake_all();
        return false;
    }
    struct bm_fiber *fiber = bm_fiber_get(context);
    if (fiber)
        bm_fiber_wake(fiber);
    else if (context == BM_CONTEXT_LOOP_0)
        bm_core_wake(0);
    return fiber || context == BM_CONTEXT_LOOP_0;
}

// For the one fault report.
const char *bm_fiber_place(void)
{
    static char text[48];
    const struct bm_fiber *self = bm_fiber_self();
    if (self && self->name)
        bm_format(text, sizeof text, ", in thread %s (%u)", self->name, self->context);
    return text;
}
