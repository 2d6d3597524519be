// Deadlines of threads that wait: a pairing heap, served like a device.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// Fredman, Sedgewick, Sleator and Tarjan, "The Pairing Heap: A New Form of Self-Adjusting Heap" (Algorithmica
// 1986): the earliest deadline is the root; adding takes one comparison, removing amortised log n.
#include "fiber.h"

#include "../base/start.h"
#include "poller.h"

#include <baremetal/lock.h>
#include <baremetal/time.h>

static struct bm_timeout *root;
static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static _Atomic(uint64_t) first = UINT64_MAX; // the root's deadline

static struct bm_fiber *fiber_of(struct bm_timeout *timeout)
{
    return (struct bm_fiber *)((char *)timeout - offsetof(struct bm_fiber, timeout));
}

// Joins two heaps, each without a next.
static struct bm_timeout *meld(struct bm_timeout *a, struct bm_timeout *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        struct bm_timeout *other = a;
        a = b;
        b = other;
    }
    b->next = a->child;
    if (b->next)
        b->next->previous = b;
    b->previous = a;
    a->child = b;
    return a;
}

// Joins a list of siblings: in pairs from the left, then all from the right.
static struct bm_timeout *meld_all(struct bm_timeout *list)
{
    struct bm_timeout *pairs = NULL, *heap = NULL;
    while (list) {
        struct bm_timeout *a = list, *b = a->next;
        list = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct bm_timeout *after = pairs->next;
        pairs->next = NULL;
        heap = meld(heap, pairs);
        pairs = after;
    }
    return heap;
}

static void root_set(struct bm_timeout *heap)
{
    root = heap;
    if (heap)
        heap->previous = NULL;
    atomic_store(&first, heap ? heap->deadline : UINT64_MAX);
}

static void take_out(struct bm_timeout *timeout)
{
    struct bm_timeout *children = meld_all(timeout->child);
    if (timeout != root) {
        struct bm_timeout *previous = timeout->previous;
        *(previous->child == timeout ? &previous->child : &previous->next) = timeout->next;
        if (timeout->next)
            timeout->next->previous = previous;
        children = meld(root, children);
    }
    timeout->child = timeout->next = timeout->previous = NULL;
    timeout->armed = false;
    root_set(children);
}

static bool poll(void *arg)
{
    (void)arg;
    if (atomic_load_explicit(&first, memory_order_relaxed) == UINT64_MAX ||
        bm_time_monotonic() < atomic_load_explicit(&first, memory_order_relaxed))
        return false;
    bm_spinlock_acquire(&lock);
    uint64_t now = bm_time_monotonic();
    while (root && root->deadline <= now) {
        struct bm_timeout *timeout = root;
        take_out(timeout);
        bm_fiber_wake(fiber_of(timeout));
    }
    bm_spinlock_release(&lock);
    return false; // whom it concerns is awake: nobody else has to look
}

static uint64_t deadline(void *arg)
{
    (void)arg;
    return atomic_load(&first);
}

static struct bm_poller poller = {.name = "thread timeouts", .poll = poll, .deadline = deadline};
static atomic_bool added;

void bm_timeout_arm(struct bm_fiber *fiber, uint64_t time)
{
    struct bm_timeout *timeout = &fiber->timeout;
    bool first_of_all = !atomic_exchange(&added, true);
    if (first_of_all)
        bm_poller_add(&poller);
    bm_spinlock_acquire(&lock);
    timeout->deadline = time;
    timeout->armed = true;
    struct bm_timeout *heap = meld(root, timeout);
    bool earliest = heap == timeout;
    root_set(heap);
    bm_spinlock_release(&lock);
    // A core that halts has its timer set for a later time, or has not seen the poller.
    if (earliest || first_of_all) {
        bm_wait_interrupted();
        bm_wait_wake_cores();
    }
}

void bm_timeout_disarm(struct bm_fiber *fiber)
{
    bm_spinlock_acquire(&lock);
    if (fiber->timeout.armed)
        take_out(&fiber->timeout);
    bm_spinlock_release(&lock);
    fiber->timeout.deadline = 0;
}
