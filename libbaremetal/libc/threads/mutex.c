// Mutexes, conditions and call_once of <threads.h>, over futexes.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// Ulrich Drepper, "Futexes Are Tricky" (2011), section 5: three states, so that who finds nobody waiting
// makes no call.
#include "threads.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/futex.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>

enum { FREE, TAKEN, WAITED_FOR };              // of a mutex
enum { NOT_CALLED, CALLING, AWAITED, CALLED }; // of a once_flag

int bm_threads_deadline(const struct timespec *when, uint64_t *deadline)
{
    enum { SECOND = 1000000000 };
    if (when->tv_nsec < 0 || when->tv_nsec >= SECOND)
        return thrd_error;
    uint64_t now = bm_time_wall(), monotonic = bm_time_monotonic(), time = UINT64_MAX;
    if (when->tv_sec < 0)
        time = 0;
    else if ((uint64_t)when->tv_sec < UINT64_MAX / SECOND - 1)
        time = (uint64_t)when->tv_sec * SECOND + (uint64_t)when->tv_nsec;
    uint64_t left = time > now ? time - now : 0;
    *deadline = !left ? 0 : left < UINT64_MAX - monotonic ? monotonic + left : UINT64_MAX;
    return thrd_success;
}

int mtx_init(mtx_t *mutex, int type)
{
    if (type & ~(mtx_recursive | mtx_timed))
        return thrd_error;
    *mutex = (mtx_t){.recursive = type & mtx_recursive};
    return thrd_success;
}

void mtx_destroy(mtx_t *mutex)
{
    (void)mutex;
}

// Somebody else has it.
static __attribute__((noinline)) int take_slowly(mtx_t *mutex, uint64_t deadline)
{
    while (atomic_exchange_explicit(&mutex->state, WAITED_FOR, memory_order_acquire) != FREE)
        if (bm_futex_wait(&mutex->state, WAITED_FOR, BM_FUTEX_ALL, deadline) == -BM_ETIMEDOUT)
            return thrd_timedout;
    return thrd_success;
}

static inline int try_take(mtx_t *mutex)
{
    uint32_t expected = FREE;
    return atomic_compare_exchange_strong_explicit(&mutex->state, &expected, TAKEN, memory_order_acquire,
                                                   memory_order_relaxed);
}

// Whether the caller has a recursive mutex; counts once more then.
static inline bool take_again(mtx_t *mutex)
{
    if (!mutex->recursive || atomic_load_explicit(&mutex->owner, memory_order_relaxed) != bm_context_id())
        return false;
    mutex->depth++;
    return true;
}

static inline int taken(mtx_t *mutex, int result)
{
    if (mutex->recursive && result == thrd_success)
        atomic_store_explicit(&mutex->owner, bm_context_id(), memory_order_relaxed);
    return result;
}

int mtx_lock(mtx_t *mutex)
{
    if (take_again(mutex))
        return thrd_success;
    return taken(mutex, try_take(mutex) ? thrd_success : take_slowly(mutex, UINT64_MAX));
}

int mtx_timedlock(mtx_t *mutex, const struct timespec *when)
{
    uint64_t deadline;
    if (take_again(mutex))
        return thrd_success;
    if (try_take(mutex))
        return taken(mutex, thrd_success);
    if (bm_threads_deadline(when, &deadline) != thrd_success)
        return thrd_error;
    return taken(mutex, take_slowly(mutex, deadline));
}

int mtx_trylock(mtx_t *mutex)
{
    return take_again(mutex) ? thrd_success : taken(mutex, try_take(mutex) ? thrd_success : thrd_busy);
}

int mtx_unlock(mtx_t *mutex)
{
    BM_ASSERT(atomic_load_explicit(&mutex->state, memory_order_relaxed) != FREE, "the mutex must be held");
    if (mutex->recursive) {
        BM_ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) == bm_context_id(),
                  "a recursive mutex must be held by the caller");
        if (mutex->depth) {
            mutex->depth--;
            return thrd_success;
        }
        atomic_store_explicit(&mutex->owner, 0, memory_order_relaxed);
    }
    if (atomic_exchange_explicit(&mutex->state, FREE, memory_order_release) == WAITED_FOR)
        bm_futex_wake(&mutex->state, 1, BM_FUTEX_ALL);
    return thrd_success;
}

int cnd_init(cnd_t *condition)
{
    atomic_store(&condition->sequence, 0);
    return thrd_success;
}

void cnd_destroy(cnd_t *condition)
{
    (void)condition;
}

static int wait_until(cnd_t *condition, mtx_t *mutex, uint64_t deadline)
{
    uint32_t sequence = atomic_load(&condition->sequence), depth = mutex->depth;
    mutex->depth = 0; // a recursive one is given back whole
    mtx_unlock(mutex);
    int error = bm_futex_wait(&condition->sequence, sequence, BM_FUTEX_ALL, deadline);
    mtx_lock(mutex);
    mutex->depth = depth;
    return error == -BM_ETIMEDOUT ? thrd_timedout : thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return wait_until(condition, mutex, UINT64_MAX);
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *when)
{
    uint64_t deadline;
    if (bm_threads_deadline(when, &deadline) != thrd_success)
        return thrd_error;
    return wait_until(condition, mutex, deadline);
}

static int wake(cnd_t *condition, unsigned count)
{
    atomic_fetch_add(&condition->sequence, 1);
    bm_futex_wake(&condition->sequence, count, BM_FUTEX_ALL);
    return thrd_success;
}

int cnd_signal(cnd_t *condition)
{
    return wake(condition, 1);
}

int cnd_broadcast(cnd_t *condition)
{
    return wake(condition, UINT32_MAX);
}

void call_once(once_flag *flag, void (*function)(void))
{
    uint32_t state = NOT_CALLED;
    if (atomic_compare_exchange_strong(&flag->state, &state, CALLING)) {
        function();
        if (atomic_exchange(&flag->state, CALLED) == AWAITED)
            bm_futex_wake(&flag->state, UINT32_MAX, BM_FUTEX_ALL);
        return;
    }
    while (state != CALLED) {
        if (state == AWAITED || atomic_compare_exchange_strong(&flag->state, &state, AWAITED))
            bm_futex_wait(&flag->state, AWAITED, BM_FUTEX_ALL, UINT64_MAX);
        state = atomic_load(&flag->state);
    }
}
