// The work queue: submitting, running, waiting.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// queue.h tells where items wait until a core takes them.
#include <baremetal/work.h>

#include "../check/check.h"
#include "../wait/hooks.h"
#include "idle.h"
#include "queue.h"
#include "work.h"

// State of an item: done, or submitted and, above, the context that waits for it, or ALL for several.
enum { STATE_DONE = 0, STATE_SUBMITTED = 1, WAITER_SHIFT = 8, WAITER_ALL = BM_CONTEXT_ALL };

void bm_work_init(struct bm_work *work, void (*function)(void *arg), void *arg)
{
    BM_CHECK(bm_check_work_init(work, __builtin_return_address(0)));
    work->function = function;
    work->arg = arg;
    work->group = NULL;
    atomic_store_explicit(&work->state, STATE_DONE, memory_order_relaxed);
}

void bm_work_submit(struct bm_work *work)
{
    BM_CHECK(bm_check_work_ready(__func__, work, __builtin_return_address(0)));
    BM_CHECK(bm_check_work_submit(work));
    atomic_store_explicit(&work->state, STATE_SUBMITTED, memory_order_relaxed);
    bm_queue_add(bm_queue_own(), work);
}

void bm_work_submit_on(unsigned core, struct bm_work *work)
{
    BM_CHECK(bm_check_work_ready(__func__, work, __builtin_return_address(0)));
    BM_CHECK(bm_check_work_submit(work));
    atomic_store_explicit(&work->state, STATE_SUBMITTED, memory_order_relaxed);
    bm_queue_add_pinned(core < bm_core_arrived() ? core : bm_work_core(), work);
}

// Wakes who waits. The item or group may be gone by now: only the number is looked at.
static void wake_waiter(unsigned waiter)
{
    if (waiter)
        bm_context_wake(waiter);
}

// A group's state: items not yet done below, who waits above. One word, since the group may be gone as soon
// as the count is 0.
enum { GROUP_WAITER_SHIFT = 32 };

BM_COLD static void group_leave(struct bm_work_group *group)
{
    uint64_t before = atomic_fetch_sub_explicit(&group->state, 1, memory_order_acq_rel);
    BM_ASSERT_HERE((uint32_t)before,
                   "a group must last, and not be prepared anew, until bm_work_group_wait has returned");
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

static void run(struct bm_work *work)
{
    struct bm_work_group *group = work->group;
    BM_CHECK(bm_check_work_begin(work));
    work->function(work->arg);
    BM_CHECK(bm_check_work_end(work));
    work->group = NULL;
    finish(work);
    if (group)
        group_leave(group);
}

bool bm_work_done(const struct bm_work *work)
{
    return atomic_load_explicit(&work->state, memory_order_acquire) == STATE_DONE;
}

// Rounds without an item after which a core halts: the next one is often close behind the last, and looking
// again is cheaper than an interrupt.
enum { SPIN_ROUNDS = 200 };

// What a core waits for besides items; NULL when that is nothing.
typedef bool condition(void *arg);

static inline bool holds(condition *over, void *arg)
{
    return over && over(arg);
}

// Runs items until over(arg) holds. Returns false when it does not, but nothing was left to run.
static bool run_until(condition *over, void *arg)
{
    for (unsigned rounds = 0; rounds < SPIN_ROUNDS; rounds++) {
        if (holds(over, arg))
            return true;
        struct bm_work *work = bm_queue_find();
        if (work) {
            run(work);
            rounds = 0;
        } else {
            __builtin_ia32_pause();
        }
    }
    return false;
}

struct pause {
    condition *over;
    void *arg;
};

static bool over_or_available(void *arg)
{
    struct pause *pause = arg;
    return holds(pause->over, pause->arg) || bm_queue_filled();
}

// Idles until over(arg) or until there is an item, and runs that.
BM_COLD static void idle(condition *over, void *arg)
{
    struct pause pause = {over, arg};
    bm_halt_idle(over_or_available, &pause);
    struct bm_work *work = holds(over, arg) ? NULL : bm_queue_find();
    // Who woke this core for an item relies on it, but it may have taken another one, or none. So it passes
    // the wake-up on.
    if (bm_halt_sleepers() && bm_queue_filled())
        bm_halt_wake_any();
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
    return waiter != bm_context_id() && waiter != WAITER_ALL;
}

// Notes in the item that this core waits. Returns false when it is done.
BM_COLD static bool announce(struct bm_work *work)
{
    unsigned me = bm_context_id();
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
BM_COLD static void help(struct bm_work *work, struct bm_work *other)
{
    bm_fiber_pinned(+1);
    if (other)
        run(other);
    while (!run_until(work_done, work))
        if (announce(work))
            idle(not_awaited, work);
    bm_fiber_pinned(-1);
}

void bm_work_wait(struct bm_work *work)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT(!bm_check_work_runs(work), "an item must not wait for itself");
    if (bm_work_done(work))
        return;
    // Most often it is the item that this core submitted last, and nothing else is in the way. (A thread must
    // not go to another core while it runs an item, so it takes the longer way.)
    struct bm_queue *queue = bm_queue_own();
    struct bm_work *last = NULL;
    if (!atomic_load_explicit(&queue->marks, memory_order_relaxed))
        last = atomic_exchange(&queue->last, NULL);
    if (last != work || work->group) {
        help(work, last);
        return;
    }
    BM_CHECK(bm_check_work_begin(work));
    work->function(work->arg);
    BM_CHECK(bm_check_work_end(work));
    finish(work);
}

void bm_work_group_init(struct bm_work_group *group)
{
    atomic_store_explicit(&group->state, 0, memory_order_relaxed);
}

void bm_work_group_add(struct bm_work_group *group, struct bm_work *work)
{
    BM_CHECK(bm_check_work_ready(__func__, work, __builtin_return_address(0)));
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
    uint64_t me = bm_context_id(), state = atomic_load_explicit(&group->state, memory_order_acquire);
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
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT(!bm_check_group_runs(group), "an item must not wait for its own group");
    bm_fiber_pinned(+1);
    while (!run_until(group_done, group))
        if (group_announce(group))
            idle(group_done, group);
    bm_fiber_pinned(-1);
}

BM_COLD void bm_work_loop(void)
{
    for (;;)
        if (!run_until(NULL, NULL))
            idle(NULL, NULL);
}
