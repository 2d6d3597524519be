// Waiting for what another core does: a note of the cores that wait, and a lock that is waited for.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "service.h"

#include <baremetal/core.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

void bm_file_waiter_note(BM_ATOMIC(uint64_t) cores[4])
{
    unsigned core = bm_core_id();
    uint64_t bit = 1ull << (core & 63);
    if (!(atomic_load(&cores[core >> 6]) & bit))
        atomic_fetch_or(&cores[core >> 6], bit);
    else
        atomic_thread_fence(memory_order_seq_cst);
}

void bm_file_waiters_wake(BM_ATOMIC(uint64_t) cores[4])
{
    bool waits = false;
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t bits = atomic_load(&cores[i]) ? atomic_exchange(&cores[i], 0) : 0;
        waits |= bits != 0;
        for (; bits; bits &= bits - 1)
            bm_core_wake(64 * i + (unsigned)__builtin_ctzll(bits));
    }
    if (waits && bm_fiber_polled) // a thread waits on no core
        bm_fiber_polled();
}

static bool is_free(void *arg)
{
    struct bm_file_mutex *mutex = arg;
    bm_file_waiter_note(mutex->cores);
    return !atomic_load(&mutex->held);
}

void bm_file_mutex_acquire(struct bm_file_mutex *mutex)
{
    while (atomic_exchange(&mutex->held, 1))
        bm_wait_until(is_free, mutex, UINT64_MAX);
}

void bm_file_mutex_release(struct bm_file_mutex *mutex)
{
    atomic_store(&mutex->held, 0);
    bm_file_waiters_wake(mutex->cores);
}

int64_t bm_file_now(void)
{
    return (int64_t)bm_time_wall();
}
