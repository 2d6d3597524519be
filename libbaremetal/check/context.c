// What each core is doing: in a handler, in a poller, with which locks.
// SPDX-License-Identifier: MIT
//
// A core's entry is its own: nobody else reads or writes it, but the handlers that interrupt it, which leave
// it as they found it. A core that starts has no number yet and is not watched until it is in the list.
#include "../cpu/core.h"
#include "check.h"

#include <baremetal/lock.h>

enum { HELD_MAX = 8, LEAVES_MAX = 4 };

static struct {
    struct {
        const struct bm_spinlock *lock;
        const void *where; // it was taken
    } held[HELD_MAX];
    unsigned count;
    unsigned pollers;
    bool fault; // bm_check_fault_enter
} watched[BM_CORES_MAX];

// Locks under which nothing else is taken, and the one that handlers take, too.
static const struct bm_spinlock *leaves[LEAVES_MAX];
static const struct bm_spinlock *handlers_too;

// This core's number; -1 while it has none. Before it has a task register it has no per-core area either.
static int watched_core(void)
{
    uint16_t task;
    __asm__ volatile("str %0" : "=r"(task));
    if (!task)
        return -1;
    const struct bm_core *core = bm_core_self();
    return bm_core_get(core->id) == core ? (int)core->id : -1;
}

bool bm_check_in_handler(void)
{
    int core = watched_core();
    return core >= 0 && bm_core_self()->in_interrupt;
}

bool bm_check_in_poller(void)
{
    int core = watched_core();
    return core >= 0 && watched[core].pollers;
}

void bm_check_poller_enter(void)
{
    watched[bm_core_id()].pollers++;
}

void bm_check_poller_leave(void)
{
    watched[bm_core_id()].pollers--;
}

void bm_check_fault_enter(void)
{
    watched[bm_core_id()].fault = true;
}

void bm_check_fault_leave(void)
{
    watched[bm_core_id()].fault = false;
}

bool bm_check_lock_held(void)
{
    int core = watched_core();
    return core >= 0 && watched[core].count;
}

void bm_check_no_lock(const char *function, const char *rule)
{
    int core = watched_core();
    if (core >= 0 && watched[core].count)
        bm_assert_failed(function, rule, watched[core].held[0].where);
}

static bool is_leaf(const struct bm_spinlock *lock)
{
    for (unsigned i = 0; i < LEAVES_MAX; i++)
        if (leaves[i] == lock)
            return true;
    return false;
}

void bm_check_lock_leaf(const struct bm_spinlock *lock)
{
    for (unsigned i = 0; i < LEAVES_MAX; i++)
        if (!leaves[i]) {
            leaves[i] = lock;
            return;
        }
}

void bm_check_lock_in_handlers(const struct bm_spinlock *lock)
{
    handlers_too = lock;
}

void bm_check_lock_take(const struct bm_spinlock *lock, const void *caller)
{
    static const char name[] = "bm_spinlock_acquire";
    int core = watched_core();
    if (!caller)
        caller = __builtin_return_address(0);
    if (core < 0)
        return;
    BM_ASSERT_OF(name, !bm_core_self()->in_interrupt || lock == handlers_too,
                 "a lock must not be taken in an interrupt handler", caller);
    for (unsigned i = 0; i < watched[core].count && i < HELD_MAX; i++) {
        const struct bm_spinlock *held = watched[core].held[i].lock;
        BM_ASSERT_OF(name, held != lock, "a lock must not be taken again by the core that holds it", caller);
        BM_ASSERT_OF(name, watched[core].fault || !is_leaf(held),
                     "no lock may be taken while this core holds one that is never nested", caller);
    }
}

// The count first, so that a handler between the two finds a place of its own.
void bm_check_lock_taken(const struct bm_spinlock *lock, const void *caller)
{
    int core = watched_core();
    if (core < 0)
        return;
    unsigned at = watched[core].count++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (at < HELD_MAX) {
        watched[core].held[at].lock = lock;
        watched[core].held[at].where = caller ? caller : __builtin_return_address(0);
    }
}

void bm_check_lock_release(const struct bm_spinlock *lock, const void *caller)
{
    int core = watched_core();
    if (core < 0)
        return;
    unsigned at = watched[core].count;
    while (at > 0 && (at > HELD_MAX || watched[core].held[at - 1].lock != lock))
        at--;
    bool deep = watched[core].count > HELD_MAX; // some are not in the list
    if (!at && !deep)
        bm_assert_failed("bm_spinlock_release", "a lock must be released by the core that holds it",
                         caller ? caller : __builtin_return_address(0));
    for (; at && at < watched[core].count && at < HELD_MAX; at++)
        watched[core].held[at - 1] = watched[core].held[at];
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    watched[core].count--;
}

static bool alone(void)
{
    return bm_core_arrived() == 1 && !bm_lock_shared;
}

bool bm_check_condition(bool (*condition)(void *arg), void *arg, const void *caller)
{
    uint64_t flags;
    int core = watched_core();
    unsigned held = core < 0 ? 0 : watched[core].count;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    if (alone())
        __asm__ volatile("cli" ::: "memory");
    bool first = condition(arg), second = first;
    if (first && alone())
        second = condition(arg);
    __asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
    BM_ASSERT_OF("bm_wait_until", first == second,
                 "a condition must have no effects of its own: asked twice, it said yes and then no", caller);
    // A condition that takes a lock of the C library may have come to another core.
    BM_ASSERT_OF("bm_wait_until", core < 0 || core != watched_core() || watched[core].count == held,
                 "a condition must leave no lock taken", caller);
    return first;
}
