// Waiting for a word of memory to change.
// SPDX-License-Identifier: MIT
//
// A waiter may be woken without need, as futexes allow: all waiters of words with the same slot look again
// after each wake. Priority inheritance is refused.
#include "linux.h"

#include <baremetal/core.h>
#include <baremetal/wait.h>

#include <stdatomic.h>

enum {
    WAIT = 0,
    WAKE = 1,
    REQUEUE = 3,
    CMP_REQUEUE = 4,
    WAIT_BITSET = 9,
    WAKE_BITSET = 10,
    COMMAND = 127,
    REALTIME = 256,
    SLOTS = 64
};

static struct slot {
    atomic_uint wakes, waiting;
} slots[SLOTS];

struct wait {
    const atomic_uint *word;
    unsigned value, wakes;
    struct slot *slot;
};

static struct slot *slot_of(const void *word)
{
    return &slots[(uintptr_t)word / 4 * 2654435761u / 64 % SLOTS];
}

static bool is_over(void *arg)
{
    const struct wait *wait = arg;
    return atomic_load(&wait->slot->wakes) != wait->wakes || atomic_load(wait->word) != wait->value;
}

static long wait_until(const atomic_uint *word, unsigned value, uint64_t deadline)
{
    struct slot *slot = slot_of(word);
    struct wait wait = {word, value, atomic_load(&slot->wakes), slot};
    atomic_fetch_add(&slot->waiting, 1);
    long result = 0;
    if (atomic_load(word) != value)
        result = -BM_EAGAIN;
    else if (!bm_wait_until(is_over, &wait, deadline))
        result = -BM_ETIMEDOUT;
    atomic_fetch_sub(&slot->waiting, 1);
    return result;
}

// How many would wake is not known; none when nobody waits.
static long wake(const void *word)
{
    struct slot *slot = slot_of(word);
    if (!atomic_load(&slot->waiting))
        return 0;
    atomic_fetch_add(&slot->wakes, 1);
    for (unsigned core = 0; core < bm_core_count(); core++)
        if (core != bm_core_id())
            bm_core_wake(core);
    return 1;
}

static long wait_with(uint32_t *word, unsigned value, const struct linux_timespec *timeout, int operation)
{
    uint64_t time, deadline = UINT64_MAX;
    if (timeout) {
        int error = bm_linux_nanoseconds(timeout, &time);
        if (error)
            return error;
        bool absolute = (operation & COMMAND) == WAIT_BITSET;
        struct linux_timespec now = {0, 0};
        uint64_t passed = 0;
        if (absolute) {
            bm_linux_clock_gettime(operation & REALTIME ? LINUX_CLOCK_REALTIME : LINUX_CLOCK_MONOTONIC, &now);
            bm_linux_nanoseconds(&now, &passed);
        }
        deadline = time > passed ? bm_linux_deadline(time - passed) : 0;
    }
    return wait_until((const atomic_uint *)word, value, deadline);
}

long bm_linux_futex(uint32_t *word, int operation, unsigned value, const struct linux_timespec *timeout,
                    uint32_t *other, unsigned third)
{
    (void)other;
    switch (operation & COMMAND & ~128) {
    case WAIT:
    case WAIT_BITSET:
        return wait_with(word, value, timeout, operation);
    case CMP_REQUEUE:
        if (atomic_load((const atomic_uint *)word) != third)
            return -BM_EAGAIN;
        return wake(word);
    case WAKE:
    case REQUEUE:
    case WAKE_BITSET:
        return wake(word);
    default:
        return -BM_ENOSYS;
    }
}
