// Where a core's items wait: what is off the shortest path.
// SPDX-License-Identifier: MIT
// @optimize speed
#include "queue.h"

#include "../base/start.h"
#include "work.h"

#include <baremetal/memory.h>
#include <baremetal/panic.h>

static struct bm_queue *queues[BM_CORES_MAX];

BM_COLD void bm_work_core_start(unsigned core, void *memory)
{
    _Static_assert(sizeof(struct bm_queue) <= BM_WORK_MEMORY, "a core's queue fits into its memory");
    struct bm_queue *queue = *bm_work_local() = queues[core] = memory;
    queue->victim = queue;
    atomic_init(&queue->next, queue);
    struct bm_queue *first = queues[0];
    atomic_init(&queue->next, atomic_load_explicit(&first->next, memory_order_relaxed));
    atomic_store_explicit(&first->next, queue, memory_order_release);
}

BM_COLD void bm_work_start(void)
{
    void *memory = bm_frame_allocate(0);
    if (!memory)
        bm_panic("not enough memory for the work queue; give the machine more memory");
    __builtin_memset(memory, 0, BM_WORK_MEMORY);
    bm_work_core_start(0, memory);
}

BM_COLD static void list_push(_Atomic(struct bm_work *) *list, struct bm_work *work)
{
    struct bm_work *head = atomic_load_explicit(list, memory_order_relaxed);
    do
        work->next = head;
    while (!atomic_compare_exchange_weak_explicit(list, &head, work, memory_order_release,
                                                  memory_order_relaxed));
}

// Takes the whole list, oldest first.
BM_COLD static struct bm_work *list_take_all(_Atomic(struct bm_work *) *list)
{
    if (!atomic_load_explicit(list, memory_order_relaxed))
        return NULL;
    struct bm_work *newest = atomic_exchange_explicit(list, NULL, memory_order_acquire), *oldest = NULL;
    while (newest) {
        struct bm_work *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

// Wakes a core that halts, for items that have just been put where any core looks for them.
static void wake_for_items(void)
{
    // Pairs with the sleeper's fence between announcing itself and its last look at the queues.
    atomic_thread_fence(memory_order_seq_cst);
    if (bm_halt_sleepers())
        bm_halt_wake_any();
}

// Keeps an item that a newer one has pushed out of its place.
void bm_queue_keep(struct bm_queue *queue, struct bm_work *work)
{
    // An interrupt handler may have come between the steps of its core's own push.
    if (bm_work_in_interrupt() || !bm_deque_push(&queue->deque, work))
        list_push(&queue->shared, work);
    wake_for_items();
}

BM_COLD void bm_queue_add_pinned(unsigned core, struct bm_work *work)
{
    BM_ASSERT_HERE(core < BM_CORES_MAX && queues[core], "the core of a pinned item runs");
    list_push(&queues[core]->pinned, work);
    atomic_fetch_or(&queues[core]->marks, BM_QUEUE_PINNED); // a fence, too
    bm_core_wake(core);
}

// Puts the rest of a list back, in one piece: it may be long. What has been added meanwhile is not.
static void put_back(_Atomic(struct bm_work *) *list, struct bm_work *rest)
{
    struct bm_work *none = NULL;
    if (atomic_compare_exchange_strong(list, &none, rest))
        return;
    struct bm_work *added = atomic_exchange(list, rest);
    while (added) {
        struct bm_work *next = added->next;
        list_push(list, added);
        added = next;
    }
}

static inline bool has_pinned(struct bm_queue *queue)
{
    return atomic_load(&queue->marks) & BM_QUEUE_PINNED;
}

static inline bool may_share(struct bm_queue *queue)
{
    return atomic_load_explicit(&queue->shared, memory_order_relaxed);
}

// Takes one item of a shared list to run it, and some to where this core's own items are. As long as the list
// is in this core's hands no other core sees it, so one that found nothing and halted meanwhile has to be
// woken.
BM_COLD static struct bm_work *take_shared(struct bm_queue *from, struct bm_queue *own)
{
    enum { BATCH = BM_DEQUE_SIZE / 2 };
    struct bm_work *first = atomic_exchange(&from->shared, NULL);
    if (!first || !first->next)
        return first;
    struct bm_work *rest = first->next;
    for (unsigned i = 0; rest && i < BATCH; i++) {
        struct bm_work *next = rest->next; // others may run the item as soon as it is in the deque
        if (!bm_deque_push(&own->deque, rest))
            break;
        rest = next;
    }
    if (rest)
        put_back(&from->shared, rest);
    wake_for_items();
    return first;
}

// The next item that came for this core alone. They wait in `own` while an item that was taken before them
// runs. The mark is taken away first: who adds an item after that sets it again.
BM_COLD static struct bm_work *take_pinned(struct bm_queue *queue)
{
    atomic_fetch_and(&queue->marks, (uint8_t)~BM_QUEUE_PINNED);
    if (!queue->own)
        queue->own = list_take_all(&queue->pinned);
    struct bm_work *work = queue->own;
    if (work)
        queue->own = work->next;
    if (queue->own || atomic_load_explicit(&queue->pinned, memory_order_relaxed))
        atomic_fetch_or_explicit(&queue->marks, BM_QUEUE_PINNED, memory_order_relaxed);
    return work;
}

// The item that a core submitted last; of the calling core or of another.
static inline struct bm_work *take_last(struct bm_queue *queue)
{
    if (!atomic_load_explicit(&queue->last, memory_order_relaxed))
        return NULL;
    return atomic_exchange(&queue->last, NULL);
}

static inline struct bm_work *take_own(struct bm_queue *own)
{
    struct bm_work *work = NULL;
    if (has_pinned(own) && (work = take_pinned(own)))
        return work;
    if ((work = take_last(own)) || (work = bm_deque_take(&own->deque)))
        return work;
    return may_share(own) ? take_shared(own, own) : NULL;
}

// The oldest item first: it is likely to bring further ones.
static inline struct bm_work *steal(struct bm_queue *victim, struct bm_queue *own)
{
    struct bm_work *work = NULL;
    if (bm_deque_filled(&victim->deque))
        work = bm_deque_steal(&victim->deque);
    if (!work)
        work = take_last(victim);
    return work || !may_share(victim) ? work : take_shared(victim, own);
}

// Whether any core finds something there. The place of the last item is read in one order with the
// announcements of sleep.
static inline bool filled(struct bm_queue *queue)
{
    return atomic_load(&queue->last) || bm_deque_filled(&queue->deque) || may_share(queue);
}

// Another core's queue in which there seems to be an item. They are looked at in turn, beginning behind the
// one that was stolen from last.
static __attribute__((noinline)) struct bm_queue *look_around(struct bm_queue *own)
{
    struct bm_queue *queue = own->victim;
    do {
        queue = atomic_load_explicit(&queue->next, memory_order_acquire);
        if (queue != own && filled(queue))
            return own->victim = queue;
    } while (queue != own->victim);
    return NULL;
}

struct bm_work *bm_queue_find(void)
{
    struct bm_queue *own = bm_queue_own();
    struct bm_work *work = take_own(own);
    if (work)
        return work;
    struct bm_queue *victim = look_around(own);
    return victim ? steal(victim, own) : NULL;
}

BM_COLD bool bm_queue_filled(void)
{
    struct bm_queue *own = bm_queue_own();
    return has_pinned(own) || filled(own) || look_around(own);
}
