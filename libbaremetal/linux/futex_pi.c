// Locks whose owner Linux would lend the priority of who waits: FUTEX_LOCK_PI and its kin. Here they are
// locks.
// SPDX-License-Identifier: MIT
//
// The word is 0, or the number of the thread that owns the lock, with a bit for those that wait. Who unlocks
// it leaves it free and wakes one that waits, which takes it unless somebody was faster. Whoever has waited
// sets the bit, since others may wait still.
#include "../thread/futex.h"
#include "linux.h"
#include "signals.h"

const char bm_linux_futex_pi_linked = 1;

enum { WAKE = 1, LOCK = 6, UNLOCK = 7, TRYLOCK = 8, WAIT_BITSET = 9, COMMAND = 127, REALTIME = 256 };
enum { PRIVATE = 128 };
enum { LOCK_2 = 13 }; // the timeout is one of CLOCK_MONOTONIC, or with the bit of the other clock
#define OWNER_DIED 0x40000000u
#define WAITERS    0x80000000u
#define NUMBER     0x3fffffffu

// Takes the lock, or finds who has it: 0, -BM_EAGAIN with *value, which has the bit for those that wait when
// this one `waits`, -BM_EDEADLK, -BM_ESRCH.
static long take(bm_futex *word, bool waits, bool has_waited, uint32_t *value)
{
    const uint32_t self = (uint32_t)bm_linux_thread();
    uint32_t now = atomic_load(word), next;
    do {
        uint32_t owner = now & NUMBER;
        if (owner == self)
            return -BM_EDEADLK;
        if (owner && !bm_linux_signals_find((int)owner))
            return -BM_ESRCH;
        *value = now | WAITERS;
        next = !owner ? now | self | (has_waited ? WAITERS : 0) : *value;
        if (owner && (!waits || now == *value))
            return -BM_EAGAIN;
    } while (!atomic_compare_exchange_weak(word, &now, next));
    return now & NUMBER ? -BM_EAGAIN : 0;
}

// Whether a signal has to be taken before it waits again, by the way out of this call: *result begins it
// again then, whatever the handler (Linux' ERESTARTNOINTR). In other programs handlers have run by now.
static bool leaves(long *result)
{
    if (*result != -BM_EINTR && *result != -BM_ERESTART)
        return false;
    *result = -BM_ERESTART_ALWAYS;
    return bm_linux_signals_late;
}

// Signals are taken meanwhile and do not end it.
static long lock(bm_futex *word, int flags, const struct linux_timespec *timeout)
{
    uint32_t value;
    long error = take(word, true, false, &value);
    while (error == -BM_EAGAIN) {
        long woken = bm_linux_futex((uint32_t *)(uintptr_t)word, WAIT_BITSET | flags, value, timeout, NULL,
                                    BM_FUTEX_ALL);
        if (leaves(&woken) || (woken && woken != -BM_EAGAIN && woken != -BM_ERESTART_ALWAYS))
            return woken;
        error = take(word, true, true, &value);
    }
    return error;
}

static long unlock(bm_futex *word, bool private)
{
    const bm_futex *key = private ? word : bm_futex_everywhere(word);
    uint32_t now = atomic_load(word);
    do {
        if ((now & NUMBER) != (uint32_t)bm_linux_thread())
            return -BM_EPERM;
    } while (!atomic_compare_exchange_weak(word, &now, 0));
    if (now & WAITERS)
        bm_futex_wake(key, 1, BM_FUTEX_ALL);
    return 0;
}

long bm_linux_futex_pi(uint32_t *address, int operation, const struct linux_timespec *timeout)
{
    bm_futex *word = (bm_futex *)address;
    uint32_t value;
    int private = operation & PRIVATE;
    switch (operation & COMMAND) {
    case LOCK:
        return lock(word, private | REALTIME, timeout);
    case LOCK_2:
        return lock(word, private | (operation & REALTIME), timeout);
    case TRYLOCK:
        return take(word, false, false, &value);
    case UNLOCK:
        return unlock(word, private);
    default:
        return -BM_ENOSYS;
    }
}
