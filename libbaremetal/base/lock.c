// Spinlocks: taking one, and waiting where another core has it.
// SPDX-License-Identifier: MIT
#include <baremetal/lock.h>

bool bm_lock_shared;

void bm_spinlock_acquire(struct bm_spinlock *lock)
{
    if (!bm_lock_shared) {
        atomic_store_explicit(&lock->locked, 1, memory_order_relaxed);
        return;
    }
    while (atomic_exchange_explicit(&lock->locked, 1, memory_order_acquire))
        while (atomic_load_explicit(&lock->locked, memory_order_relaxed))
            __builtin_ia32_pause();
}
