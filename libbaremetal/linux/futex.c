// Waiting for a word of memory to change, on <baremetal/futex.h>.
// SPDX-License-Identifier: MIT
#include "../thread/futex.h"
#include "clone.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/futex.h>
#include <baremetal/switch.h>

#include <stdatomic.h>

enum {
    WAIT = 0,
    WAKE = 1,
    REQUEUE = 3,
    CMP_REQUEUE = 4,
    WAIT_BITSET = 9,
    WAKE_BITSET = 10,
    COMMAND = 127,
    PRIVATE = 128, // FUTEX_PRIVATE_FLAG: by its address, wherever it is mapped else
    REALTIME = 256
};

// The deadline of a timeout: a time from now, or with bits one of a clock.
static int deadline_of(const struct linux_timespec *timeout, int operation, uint64_t *deadline)
{
    uint64_t time, passed = 0;
    *deadline = UINT64_MAX;
    if (!timeout)
        return 0;
    int error = bm_linux_nanoseconds(timeout, &time);
    if (error)
        return error;
    if ((operation & COMMAND) == WAIT_BITSET) {
        struct linux_timespec now = {0, 0};
        bm_linux_clock_gettime(operation & REALTIME ? LINUX_CLOCK_REALTIME : LINUX_CLOCK_MONOTONIC, &now);
        bm_linux_nanoseconds(&now, &passed);
    }
    *deadline = time > passed ? bm_linux_deadline(time - passed) : 0;
    return 0;
}

static void publish(struct bm_linux_signals *signals, struct futex_waiter *waiter)
{
    bm_spinlock_acquire(&signals->lock);
    signals->waiter = waiter;
    bm_spinlock_release(&signals->lock);
}

// Who sends a signal sets it pending first and looks for a waiter then. Without a timeout the wait begins
// again behind a handler that wants that.
static long wait_interruptibly(struct bm_linux_signals *signals, const bm_futex *word, const bm_futex *key,
                               unsigned value, unsigned bits, uint64_t deadline)
{
    struct futex_waiter self = {0};
    long result = -BM_EINTR;
    publish(signals, &self);
    if (!bm_linux_signal_ready(signals))
        result = bm_futex_wait_as(&self, word, key, value, bits, deadline);
    publish(signals, NULL);
    if (result == -BM_EINTR && (deadline == UINT64_MAX || !bm_linux_signal_ready(signals)))
        return -BM_ERESTART; // also when another thread has taken the signal
    bm_linux_signal_take(signals);
    return result;
}

static const bm_futex *key_of(const bm_futex *word, int operation)
{
    return operation & PRIVATE ? word : bm_futex_everywhere(word);
}

static long wait(const bm_futex *word, int operation, unsigned value, const struct linux_timespec *timeout,
                 unsigned bits)
{
    uint64_t deadline;
    int error = deadline_of(timeout, operation, &deadline);
    if (error)
        return error;
    if (bm_switch_forbidden()) { // under the network's lock musl's locks are spun for
        __builtin_ia32_pause();
        return -BM_EAGAIN;
    }
    const bm_futex *key = key_of(word, operation);
    if (!bm_linux_signals_self) {
        struct futex_waiter self = {0};
        return bm_futex_wait_as(&self, word, key, value, bits, deadline);
    }
    long result;
    do
        result = wait_interruptibly(bm_linux_signals_self(), word, key, value, bits, deadline);
    while (bm_linux_again(&result));
    return result;
}

// Without threads nobody is moved: who is woken waits for the other word by itself.
static long requeue(const bm_futex *word, const bm_futex *key, unsigned wakes, unsigned moves,
                    const bm_futex *to, const uint32_t *expected)
{
    if (bm_linux_requeue)
        return bm_linux_requeue(word, key, wakes, moves, to, expected);
    if (expected && atomic_load(word) != *expected)
        return -BM_EAGAIN;
    return bm_futex_wake(key, wakes + moves < wakes ? UINT32_MAX : wakes + moves, BM_FUTEX_ALL);
}

long bm_linux_futex(uint32_t *address, int operation, unsigned value, const struct linux_timespec *timeout,
                    uint32_t *other, unsigned third)
{
    if ((uintptr_t)address % sizeof *address)
        return -BM_EINVAL;
    const bm_futex *word = (const bm_futex *)address;
    switch (operation & COMMAND) {
    case WAIT:
        return wait(word, operation, value, timeout, BM_FUTEX_ALL);
    case WAIT_BITSET:
        return third ? wait(word, operation, value, timeout, third) : -BM_EINVAL;
    case WAKE:
        return bm_futex_wake(key_of(word, operation), value, BM_FUTEX_ALL);
    case WAKE_BITSET:
        return third ? (long)bm_futex_wake(key_of(word, operation), value, third) : -BM_EINVAL;
    case REQUEUE:
    case CMP_REQUEUE: // the timeout's place has the count
        if ((int)value < 0 || (int)(uintptr_t)timeout < 0)
            return -BM_EINVAL;
        return requeue(word, key_of(word, operation), value, (unsigned)(uintptr_t)timeout,
                       key_of((const bm_futex *)other, operation),
                       (operation & COMMAND) == CMP_REQUEUE ? &third : NULL);
    default:
        return bm_linux_futex_pi ? bm_linux_futex_pi(address, operation, timeout) : -BM_ENOSYS;
    }
}
