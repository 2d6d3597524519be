// The work queue: submitting, running, waiting.
// SPDX-License-Identifier: MIT
//
// Each core has a place for the item that it submitted last; a deque, which takes the items before that; a
// list of items that found the deque full, or that an interrupt handler pushed out of the place; and a list
// of items for this core alone. Other cores steal from all but the last.
#include <baremetal/work.h>

#include "deque.h"
#include "idle.h"
#include "work.h"

// State of an item: done, or submitted and, above, who waits for it (core + 1, or ALL for several).
enum { STATE_DONE = 0, STATE_SUBMITTED = 1, WAITER_SHIFT = 8, WAITER_ALL = BM_WORK_CORES_MAX + 1 };

struct core_queue {
    struct bm_deque deque;
    _Alignas(64) _Atomic(struct bm_work *) last;   // submitted, NULL when it was taken
    _Alignas(64) _Atomic(struct bm_work *) shared; // newest first
    _Atomic(struct bm_work *) pinned;              // newest first
    _Atomic(bool) has_pinned;                      // whether to look at `pinned` and `own`
    struct bm_work *own;                           // taken from `pinned`, oldest first: of this core
    unsigned victim;                               // where stealing goes on
};

// What an empty item does not pass stays out of the way of what it does.
#define COLD __attribute__((noinline, cold))

static struct core_queue *queues[BM_WORK_CORES_MAX];

void bm_work_core_start(unsigned core, void *memory)
{
    _Static_assert(sizeof(struct core_queue) <= BM_WORK_MEMORY, "a core's queue fits into its memory");
    queues[core] = memory;
    *bm_work_local() = memory;
}

static inline struct core_queue *own_queue(void)
{
    return *bm_work_local();
}

COLD static void list_push(_Atomic(struct bm_work *) *list, struct bm_work *work)
{
    struct bm_work *head = atomic_load_explicit(list, memory_order_relaxed);
    do
        work->next = head;
    while (!atomic_compare_exchange_weak_explicit(list, &head, work, memory_order_release,
                                                  memory_order_relaxed));
}

// Takes the whole list, oldest first.
COLD static struct bm_work *list_take_all(_Atomic(struct bm_work *) *list)
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

void bm_work_init(struct bm_work *work, void (*function)(void *arg), void *arg)
{
    work->function = function;
    work->arg = arg;
    work->group = NULL;
    atomic_store_explicit(&work->state, STATE_DONE, memory_order_relaxed);
}

// Wakes a core that halts, for items that have just been put where any core looks for them.
COLD static void wake_for_items(void)
{
    // Pairs with the sleeper's fence between announcing itself and its last look at the queues.
    atomic_thread_fence(memory_order_seq_cst);
    if (bm_work_sleepers())
        bm_work_wake_any();
}

// Keeps an item that a newer one has pushed out of its place.
static __attribute__((noinline)) void keep(struct core_queue *queue, struct bm_work *work)
{
    // An interrupt handler may have come between the steps of its core's own push.
    if (bm_work_in_interrupt() || !bm_deque_push(&queue->deque, work))
        list_push(&queue->shared, work);
    wake_for_items();
}

void bm_work_submit(struct bm_work *work)
{
    struct core_queue *queue = own_queue();
    atomic_store_explicit(&work->state, STATE_SUBMITTED, memory_order_relaxed);
    // The exchange is the fence that wake_for_items speaks of.
    struct bm_work *before = atomic_exchange(&queue->last, work);
    if (before)
        keep(queue, before);
    else if (bm_work_sleepers())
        bm_work_wake_any();
}

void bm_work_submit_on(unsigned core, struct bm_work *work)
{
    if (core >= bm_work_cores())
        core = bm_work_core();
    atomic_store_explicit(&work->state, STATE_SUBMITTED, memory_order_relaxed);
    list_push(&queues[core]->pinned, work);
    atomic_store(&queues[core]->has_pinned, true); // a fence, too
    bm_work_wake(core);
}

// Takes a shared list: one item is run, the others go where this core's own items are. On their way no core
// sees them, so one that found nothing and halted meanwhile has to be woken.
COLD static struct bm_work *take_shared(struct core_queue *from, struct core_queue *own)
{
    struct bm_work *first = list_take_all(&from->shared);
    for (struct bm_work *work = first ? first->next : NULL, *next; work; work = next) {
        next = work->next;
        if (!bm_deque_push(&own->deque, work))
            list_push(&own->shared, work);
    }
    if (first && first->next)
        wake_for_items();
    return first;
}

// The next item that came for this core alone. They wait in `own` while an item that was taken before them
// runs. The mark is taken away first: who adds an item after that sets it again.
COLD static struct bm_work *take_pinned(struct core_queue *queue)
{
    atomic_store(&queue->has_pinned, false);
    if (!queue->own)
        queue->own = list_take_all(&queue->pinned);
    struct bm_work *work = queue->own;
    if (work)
        queue->own = work->next;
    if (queue->own || atomic_load_explicit(&queue->pinned, memory_order_relaxed))
        atomic_store_explicit(&queue->has_pinned, true, memory_order_relaxed);
    return work;
}

// The item that a core submitted last; of the calling core or of another.
COLD static struct bm_work *take_last(struct core_queue *queue)
{
    if (!atomic_load_explicit(&queue->last, memory_order_relaxed))
        return NULL;
    return atomic_exchange(&queue->last, NULL);
}

COLD static struct bm_work *take_own(struct core_queue *queue)
{
    struct bm_work *work = NULL;
    if (atomic_load_explicit(&queue->has_pinned, memory_order_relaxed))
        work = take_pinned(queue);
    if (!work)
        work = take_last(queue);
    return work ? work : bm_deque_take(&queue->deque);
}

// What this core's own deque could not take, then one round over the other cores, from where the last one
// ended: their oldest items first.
COLD static struct bm_work *steal(struct core_queue *own)
{
    unsigned cores = bm_work_cores();
    struct bm_work *left = take_shared(own, own);
    if (left)
        return left;
    for (unsigned i = 0; i < cores; i++) {
        own->victim = own->victim + 1 < cores ? own->victim + 1 : 0;
        struct core_queue *victim = queues[own->victim];
        if (victim == own)
            continue;
        struct bm_work *work = bm_deque_steal(&victim->deque);
        if (!work)
            work = take_shared(victim, own);
        if (!work)
            work = take_last(victim);
        if (work)
            return work;
    }
    return NULL;
}

// Wakes who waits. The item or group may be gone by now: only the number is looked at.
COLD static void wake_waiter(unsigned waiter)
{
    if (waiter == WAITER_ALL)
        for (unsigned core = 0; core < bm_work_cores(); core++)
            bm_work_wake(core);
    else if (waiter)
        bm_work_wake(waiter - 1);
}

// A group's state: items not yet done below, who waits above. One word, since the group may be gone as soon
// as the count is 0.
enum { GROUP_WAITER_SHIFT = 32 };

COLD static void group_leave(struct bm_work_group *group)
{
    uint64_t before = atomic_fetch_sub_explicit(&group->state, 1, memory_order_acq_rel);
    if ((uint32_t)before == 1)
        wake_waiter((unsigned)(before >> GROUP_WAITER_SHIFT));
}

// After this the item is its owner's again.
static inline void finish(struct bm_work *work)
{
    unsigned state = atomic_exchange(&work->state, STATE_DONE);
    if (state != STATE_SUBMITTED)
        wake_waiter(state >> WAITER_SHIFT);
}

COLD static void run(struct bm_work *work)
{
    struct bm_work_group *group = work->group;
    work->function(work->arg);
    work->group = NULL;
    finish(work);
    if (group)
        group_leave(group);
}

COLD static struct bm_work *find(void)
{
    struct core_queue *queue = own_queue();
    struct bm_work *work = take_own(queue);
    return work ? work : steal(queue);
}

// What a core may steal. The place of the last item is read in one order with the announcements of sleep.
COLD static bool stealable(struct core_queue *queue)
{
    return atomic_load(&queue->last) || bm_deque_filled(&queue->deque) ||
           atomic_load_explicit(&queue->shared, memory_order_relaxed);
}

COLD static bool available(void)
{
    if (atomic_load(&own_queue()->has_pinned))
        return true;
    for (unsigned core = 0; core < bm_work_cores(); core++)
        if (stealable(queues[core]))
            return true;
    return false;
}

bool bm_work_done(const struct bm_work *work)
{
    return atomic_load_explicit(&work->state, memory_order_acquire) == STATE_DONE;
}

// Rounds without an item after which a core halts: the next one is often close behind the last, and looking
// again is cheaper than an interrupt.
enum { SPIN_ROUNDS = 200 };

// Runs one item if there is one soon. Returns false when there was none, and over(arg) does not hold.
COLD static bool run_soon(bool (*over)(void *arg), void *arg)
{
    for (unsigned i = 0; i < SPIN_ROUNDS; i++) {
        struct bm_work *work = find();
        if (work)
            run(work);
        if (work || over(arg))
            return true;
        __builtin_ia32_pause();
    }
    return false;
}

// What a core idles for besides items.
struct pause {
    bool (*over)(void *arg);
    void *arg;
};

static bool over_or_available(void *arg)
{
    struct pause *pause = arg;
    return pause->over(pause->arg) || available();
}

// Idles until over(arg) or until there is an item, and runs that.
COLD static void idle(bool (*over)(void *arg), void *arg)
{
    struct pause pause = {over, arg};
    bm_work_idle(over_or_available, &pause);
    struct bm_work *work = over(arg) ? NULL : find();
    // Who woke this core for an item relies on it, but it may have taken another one, or none. So it passes
    // the wake-up on.
    if (bm_work_sleepers() && available())
        bm_work_wake_any();
    if (work)
        run(work);
}

static bool work_done(void *arg)
{
    return bm_work_done(arg);
}

// Whether nobody will wake this core for the item: it is done, and may have been submitted again since.
static bool not_awaited(void *arg)
{
    struct bm_work *work = arg;
    unsigned waiter = atomic_load_explicit(&work->state, memory_order_acquire) >> WAITER_SHIFT;
    return waiter != bm_work_core() + 1 && waiter != WAITER_ALL;
}

// Notes in the item that this core waits. Returns false when it is done.
COLD static bool announce(struct bm_work *work)
{
    unsigned me = bm_work_core() + 1;
    unsigned state = atomic_load_explicit(&work->state, memory_order_acquire);
    for (;;) {
        unsigned waiter = state >> WAITER_SHIFT;
        if (state == STATE_DONE)
            return false;
        if (waiter == me || waiter == WAITER_ALL)
            return true;
        unsigned wanted = STATE_SUBMITTED | (waiter ? WAITER_ALL : me) << WAITER_SHIFT;
        if (atomic_compare_exchange_weak_explicit(&work->state, &state, wanted, memory_order_acq_rel,
                                                  memory_order_acquire))
            return true;
    }
}

// Runs `other` and what else there is; halts until the item is done or there is another one.
COLD static void help(struct bm_work *work, struct bm_work *other)
{
    if (other)
        run(other);
    while (!bm_work_done(work))
        if (!run_soon(work_done, work) && announce(work))
            idle(not_awaited, work);
}

void bm_work_wait(struct bm_work *work)
{
    if (bm_work_done(work))
        return;
    // Most often it is the item that this core submitted last, and nothing else is in the way.
    struct core_queue *queue = own_queue();
    struct bm_work *last = NULL;
    if (!atomic_load_explicit(&queue->has_pinned, memory_order_relaxed))
        last = atomic_exchange(&queue->last, NULL);
    if (last != work || work->group) {
        help(work, last);
        return;
    }
    work->function(work->arg);
    finish(work);
}

void bm_work_group_init(struct bm_work_group *group)
{
    atomic_store_explicit(&group->state, 0, memory_order_relaxed);
}

void bm_work_group_add(struct bm_work_group *group, struct bm_work *work)
{
    // Who waited for the group's last round is left in it: one wake-up too many at worst.
    atomic_fetch_add_explicit(&group->state, 1, memory_order_relaxed);
    work->group = group;
    bm_work_submit(work);
}

static bool group_done(void *arg)
{
    struct bm_work_group *group = arg;
    return (uint32_t)atomic_load_explicit(&group->state, memory_order_acquire) == 0;
}

// Notes in the group that this core waits. Returns false when it is done.
static bool group_announce(struct bm_work_group *group)
{
    uint64_t me = bm_work_core() + 1, state = atomic_load_explicit(&group->state, memory_order_acquire);
    for (;;) {
        uint64_t waiter = state >> GROUP_WAITER_SHIFT;
        if (!(uint32_t)state)
            return false;
        if (waiter == me || waiter == WAITER_ALL)
            return true;
        uint64_t wanted = (uint32_t)state | (waiter ? WAITER_ALL : me) << GROUP_WAITER_SHIFT;
        if (atomic_compare_exchange_weak_explicit(&group->state, &state, wanted, memory_order_acq_rel,
                                                  memory_order_acquire))
            return true;
    }
}

void bm_work_group_wait(struct bm_work_group *group)
{
    while (!group_done(group))
        if (!run_soon(group_done, group) && group_announce(group))
            idle(group_done, group);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

COLD void bm_work_loop(void)
{
    for (;;)
        if (!run_soon(never, NULL))
            idle(never, NULL);
}
