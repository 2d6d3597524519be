// Timerfd.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/timerfd.h>

enum { SET_ABSOLUTE = 1, SET_CANCEL = 2, SECOND = 1000000000 };

long bm_linux_timerfd_create(int clock, int flags)
{
    if (clock != LINUX_CLOCK_REALTIME && clock != LINUX_CLOCK_MONOTONIC && clock != LINUX_CLOCK_BOOTTIME)
        return -BM_EINVAL;
    return bm_timerfd_open(clock == LINUX_CLOCK_REALTIME, flags);
}

static struct linux_timespec timespec_of(uint64_t nanoseconds)
{
    return (struct linux_timespec){(int64_t)(nanoseconds / SECOND), (int64_t)(nanoseconds % SECOND)};
}

static void tell(struct bm_linux_timer_value *to, const struct bm_timerfd_setting *from)
{
    to->interval = timespec_of(from->interval);
    to->value = timespec_of(from->value);
}

long bm_linux_timerfd_settime(int descriptor, int flags, const struct bm_linux_timer_value *wanted,
                              struct bm_linux_timer_value *old)
{
    struct bm_timerfd_setting setting, before;
    if (flags & ~(SET_ABSOLUTE | SET_CANCEL))
        return -BM_EINVAL;
    if (!wanted)
        return -BM_EFAULT;
    int error = bm_linux_nanoseconds(&wanted->value, &setting.value);
    if (!error)
        error = bm_linux_nanoseconds(&wanted->interval, &setting.interval);
    if (!error)
        error = bm_timerfd_set(descriptor, &setting, flags & SET_ABSOLUTE, flags & SET_CANCEL, &before);
    if (!error && old)
        tell(old, &before);
    return error;
}

long bm_linux_timerfd_gettime(int descriptor, struct bm_linux_timer_value *timer)
{
    struct bm_timerfd_setting setting;
    int error = bm_timerfd_get(descriptor, &setting);
    if (!error)
        tell(timer, &setting);
    return error;
}
