// Timerfd.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/timerfd.h>
#include <sys/timerfd.h>

#define SECOND 1000000000ull

static struct timespec timespec_of(uint64_t nanoseconds)
{
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / SECOND),
                             .tv_nsec = (long)(nanoseconds % SECOND)};
}

static void tell(struct itimerspec *to, const struct bm_timerfd_setting *from)
{
    to->it_interval = timespec_of(from->interval);
    to->it_value = timespec_of(from->value);
}

// Nanoseconds of a time that must be valid; what is beyond the clock's range is its end.
static int take(const struct timespec *from, uint64_t *to)
{
    if (from->tv_sec < 0 || from->tv_nsec < 0 || from->tv_nsec >= (long)SECOND)
        return -EINVAL;
    if (__builtin_mul_overflow((uint64_t)from->tv_sec, SECOND, to) ||
        __builtin_add_overflow(*to, (uint64_t)from->tv_nsec, to))
        *to = UINT64_MAX;
    return 0;
}

int timerfd_create(clockid_t clock, int flags)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return (int)bm_posix_result(-EINVAL);
    return (int)bm_posix_result(bm_timerfd_open(clock == CLOCK_REALTIME, flags));
}

int timerfd_settime(int descriptor, int flags, const struct itimerspec *wanted, struct itimerspec *old)
{
    struct bm_timerfd_setting setting, before;
    int error = flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) ? -EINVAL : wanted ? 0 : -EFAULT;
    if (!error)
        error = take(&wanted->it_value, &setting.value);
    if (!error)
        error = take(&wanted->it_interval, &setting.interval);
    if (!error)
        error = bm_timerfd_set(descriptor, &setting, flags & TFD_TIMER_ABSTIME,
                               flags & TFD_TIMER_CANCEL_ON_SET, &before);
    if (!error && old)
        tell(old, &before);
    return (int)bm_posix_result(error);
}

int timerfd_gettime(int descriptor, struct itimerspec *left)
{
    struct bm_timerfd_setting setting;
    int error = bm_timerfd_get(descriptor, &setting);
    if (!error)
        tell(left, &setting);
    return (int)bm_posix_result(error);
}
