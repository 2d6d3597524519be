// The thrd_ functions of <threads.h>.
// SPDX-License-Identifier: MIT
#include "threads.h"

#include <baremetal/error.h>
#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_uint threads = 1; // main, and those that were made here

struct beginning {
    thrd_start_t function;
    void *arg;
};

static void *begin(void *arg)
{
    struct beginning beginning = *(struct beginning *)arg;
    free(arg);
    thrd_exit(beginning.function(beginning.arg));
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
    struct beginning *beginning = malloc(sizeof *beginning);
    if (!beginning)
        return thrd_nomem;
    *beginning = (struct beginning){function, arg};
    atomic_fetch_add(&threads, 1);
    int error = bm_thread_create(thread, begin, beginning, NULL);
    if (error) {
        atomic_fetch_sub(&threads, 1);
        free(beginning);
    }
    return !error ? thrd_success : error == -BM_ENOMEM ? thrd_nomem : thrd_error;
}

thrd_t thrd_current(void)
{
    return bm_thread_self();
}

int thrd_detach(thrd_t thread)
{
    return bm_thread_detach(thread) ? thrd_error : thrd_success;
}

int thrd_equal(thrd_t a, thrd_t b)
{
    return a == b;
}

_Noreturn void thrd_exit(int result)
{
    if (bm_threads_values_end)
        bm_threads_values_end();
    if (atomic_fetch_sub(&threads, 1) == 1)
        exit(EXIT_SUCCESS);
    bm_thread_exit((void *)(intptr_t)result);
}

int thrd_join(thrd_t thread, int *result)
{
    void *said;
    if (bm_thread_join(thread, &said, UINT64_MAX))
        return thrd_error;
    if (result)
        *result = (int)(intptr_t)said;
    return thrd_success;
}

int thrd_sleep(const struct timespec *duration, struct timespec *remaining)
{
    enum { SECOND = 1000000000, INVALID = -2 };
    (void)remaining;
    if (duration->tv_sec < 0 || duration->tv_nsec < 0 || duration->tv_nsec >= SECOND)
        return INVALID;
    uint64_t now = bm_time_monotonic(), seconds = (uint64_t)duration->tv_sec;
    bool far = seconds > (UINT64_MAX - now) / SECOND - 1;
    bm_thread_sleep(far ? UINT64_MAX : now + seconds * SECOND + (uint64_t)duration->tv_nsec);
    return 0;
}

void thrd_yield(void)
{
    bm_thread_yield();
}
