// Spinlocks: taking one, and waiting where another core has it.
// SPDX-License-Identifier: MIT
#include "stack.h"

#include <baremetal/lock.h>

bool bm_lock_shared;

void bm_spinlock_acquire(struct bm_spinlock *lock)
{
    __asm__ volatile("testb %%al, -%c0(%%rsp)" : : "i"(BM_STACK_LOCK) : "cc", "memory"); // there is that much
    BM_CHECK(bm_check_lock_take(lock, __builtin_return_address(0)));
    if (!bm_lock_shared) {
        atomic_store_explicit(&lock->locked, 1, memory_order_relaxed);
        BM_CHECK(bm_check_lock_taken(lock, __builtin_return_address(0)));
        return;
    }
    while (atomic_exchange_explicit(&lock->locked, 1, memory_order_acquire))
        while (atomic_load_explicit(&lock->locked, memory_order_relaxed))
            __builtin_ia32_pause();
    BM_CHECK(bm_check_lock_taken(lock, __builtin_return_address(0)));
}
