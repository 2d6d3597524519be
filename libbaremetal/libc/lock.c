// The locks of both C libraries: recursive, by context.
// SPDX-License-Identifier: MIT
//
// All in one file, so that the C library's own do-nothing versions are never linked. A lock that is not meant
// to be recursive may well be: code that is right with the stricter kind is right with this one.
#include "../wait/hooks.h"
#include "libc.h"

#include <baremetal/wait.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/lock.h>

enum { STATIC_LOCKS = 8 };

struct __lock {
    _Atomic(uint32_t) owner; // number of the context that has it (wait.h); 0: free
    uint32_t depth;          // the owner's
};

struct __lock __lock___libc_recursive_mutex; // picolibc has this one
struct __lock __lock___sfp_recursive_mutex;  // newlib has these
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___tz_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___arc4random_mutex;

// Locks of streams: a few without malloc, so that a program that only prints does not link it.
static struct __lock static_locks[STATIC_LOCKS];
static atomic_uint static_locks_used; // bits
static struct __lock shared_lock;     // when memory ends

// picolibc's header does not have these two, newlib's has.
int __retarget_lock_try_acquire(_LOCK_T lock);
int __retarget_lock_try_acquire_recursive(_LOCK_T lock);
void *malloc(size_t size) __attribute__((weak));
void free(void *block) __attribute__((weak));

void __retarget_lock_init(_LOCK_T *lock)
{
    for (unsigned i = 0; i < STATIC_LOCKS; i++) {
        if (atomic_fetch_or(&static_locks_used, 1u << i) & 1u << i)
            continue;
        *lock = &static_locks[i];
        **lock = (struct __lock){0};
        return;
    }
    *lock = malloc ? malloc(sizeof **lock) : NULL;
    if (*lock)
        **lock = (struct __lock){0};
    else
        *lock = &shared_lock;
}

void __retarget_lock_close(_LOCK_T lock)
{
    if (lock >= static_locks && lock < static_locks + STATIC_LOCKS)
        atomic_fetch_and(&static_locks_used, ~(1u << (lock - static_locks)));
    else if (lock != &shared_lock && free)
        free(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    uint32_t me = bm_context_id(), owner = 0;
    if (atomic_load_explicit(&lock->owner, memory_order_relaxed) != me &&
        !atomic_compare_exchange_strong_explicit(&lock->owner, &owner, me, memory_order_acquire,
                                                 memory_order_relaxed))
        return 0;
    if (!lock->depth++ && bm_fiber_keep)
        bm_fiber_keep(1);
    return 1;
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    for (; !__retarget_lock_try_acquire(lock); __builtin_ia32_pause())
        if (bm_fiber_yield && !bm_switch_forbidden()) // who has it may wait, for input
            bm_fiber_yield();
}

void __retarget_lock_release(_LOCK_T lock)
{
    if (--lock->depth)
        return;
    atomic_store_explicit(&lock->owner, 0, memory_order_release);
    if (bm_fiber_keep)
        bm_fiber_keep(-1);
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    __retarget_lock_close(lock);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    return __retarget_lock_try_acquire(lock);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    __retarget_lock_acquire(lock);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    __retarget_lock_release(lock);
}
