// Spinlocks that do not starve when virtual cores share real ones (no ticket order on purpose).
// SPDX-License-Identifier: MIT
//
// Interrupt handlers only set flags (see interrupt.h), so no lock is ever taken in a handler and interrupts
// stay enabled while one is held. A holder must not wait for devices (wait.h) with a lock held.
#pragma once

#include <baremetal/assert.h>
#include <baremetal/compiler.h>
#include <baremetal/switch.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// A lock; all zeros is one that is free.
struct bm_spinlock {
    BM_ATOMIC(unsigned) locked; // 1 while somebody holds it
};

// The initial value of a lock that is free.
#define BM_SPINLOCK_INIT                                                                                     \
    {                                                                                                        \
        0                                                                                                    \
    }

// Of the checked build: this core is about to take a lock, has taken it, is about to release it. `caller`:
// the place that a report names; NULL: where this was called.
void bm_check_lock_take(const struct bm_spinlock *lock, const void *caller);
void bm_check_lock_taken(const struct bm_spinlock *lock, const void *caller);
void bm_check_lock_release(const struct bm_spinlock *lock, const void *caller);
// … nothing is taken while a core holds this lock; this one lock may be taken in handlers, too.
void bm_check_lock_leaf(const struct bm_spinlock *lock);
void bm_check_lock_in_handlers(const struct bm_spinlock *lock);

// Takes the lock, spinning until it is free. Any core, not in interrupt handlers. Not recursive.
void bm_spinlock_acquire(struct bm_spinlock *lock);

// A thread may be made to yield anywhere in the program's own text (thread.h), but not while it holds one of
// these. The kernel's text, where BM_INSIDE is defined, is left alone anyway.
static inline __attribute__((always_inline)) void bm_spinlock_keep_core(void)
{
#ifndef BM_INSIDE
    bm_switch_forbid();
#endif
}

// Whether more than one core runs, or is about to: the kernel sets it before it calls the second one. On one
// core nobody else can hold a lock, so a plain store is enough. The store still marks the lock as held, in
// case a second core starts meanwhile.
extern bool bm_lock_shared;

// The same as bm_spinlock_acquire without a call, for locks that every packet takes.
static inline __attribute__((always_inline)) void bm_spinlock_acquire_inline(struct bm_spinlock *lock)
{
    bm_spinlock_keep_core();
    if (bm_lock_shared) {
        bm_spinlock_acquire(lock);
    } else {
        BM_CHECK(bm_check_lock_take(lock, (void *)0));
        BM_ATOMIC_STORE(&lock->locked, 1, RELAXED);
        BM_CHECK(bm_check_lock_taken(lock, (void *)0));
    }
}

// Takes the lock if it is free; returns whether it did. Any context.
static inline bool bm_spinlock_try(struct bm_spinlock *lock)
{
    bm_spinlock_keep_core();
    bool taken = !BM_ATOMIC_EXCHANGE(&lock->locked, 1, ACQUIRE);
#ifndef BM_INSIDE
    if (!taken)
        bm_switch_allow();
#endif
    if (BM_CHECKED && taken)
        bm_check_lock_taken(lock, (void *)0);
    return taken;
}

// Releases the lock. By the holder.
static inline __attribute__((always_inline)) void bm_spinlock_release(struct bm_spinlock *lock)
{
    BM_CHECK(bm_check_lock_release(lock, (void *)0));
    BM_ATOMIC_STORE(&lock->locked, 0, RELEASE);
#ifndef BM_INSIDE
    bm_switch_allow();
#endif
}

#ifndef BM_INSIDE
// bm_spinlock_acquire in a program: keeps the core, too.
static inline void bm_spinlock_acquire_program(struct bm_spinlock *lock)
{
    bm_spinlock_keep_core();
    bm_spinlock_acquire(lock);
}
// A program takes a lock by the function above.
#define bm_spinlock_acquire(lock) bm_spinlock_acquire_program(lock)
#endif

#ifdef __cplusplus
}
#endif
