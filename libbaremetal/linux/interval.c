// Interval timers: setitimer and alarm.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "timers.h"

#include <stddef.h>

enum { REAL, VIRTUAL, PROF, COUNT };
#define SECOND 1000000000ull

// The clocks of the process count the machine's time (time.c), and so do the timers by them.
#define TIMER(signal_)                                                                                       \
    {                                                                                                        \
        .sends = true, .own.what = {.signal = (signal_), .code = LINUX_SI_KERNEL }                           \
    }
static struct bm_linux_timer timers[COUNT] = {
    [REAL] = TIMER(LINUX_SIGALRM), [VIRTUAL] = TIMER(LINUX_SIGVTALRM), [PROF] = TIMER(LINUX_SIGPROF)};

static bool nanoseconds(const struct linux_timeval *from, uint64_t *to)
{
    const struct linux_timespec time = {from->seconds, from->microseconds * 1000};
    return from->microseconds >= 0 && from->microseconds < 1000000 && bm_linux_nanoseconds(&time, to) == 0;
}

// A time that is left is never told to be none.
static struct linux_timeval timeval_of(uint64_t time)
{
    uint64_t microseconds = time / 1000 + (time && time < 1000);
    return (struct linux_timeval){(int64_t)(microseconds / 1000000), (int64_t)(microseconds % 1000000)};
}

static void tell(struct bm_linux_interval *to, struct bm_linux_times times)
{
    to->interval = timeval_of(times.interval);
    to->value = timeval_of(times.left);
}

long bm_linux_getitimer(int which, struct bm_linux_interval *now)
{
    if (which < REAL || which >= COUNT)
        return -BM_EINVAL;
    tell(now, bm_linux_timer_get(&timers[which]));
    return 0;
}

// Without a value it is as if it were all zeros (Linux warns of that, and does it).
long bm_linux_setitimer(int which, const struct bm_linux_interval *wanted, struct bm_linux_interval *old)
{
    struct bm_linux_times times = {0, 0};
    if (wanted &&
        (!nanoseconds(&wanted->value, &times.left) || !nanoseconds(&wanted->interval, &times.interval)))
        return -BM_EINVAL;
    if (which < REAL || which >= COUNT)
        return -BM_EINVAL;
    if (!times.left)
        times.interval = 0;
    times = bm_linux_timer_set(&timers[which], times, 0);
    if (old)
        tell(old, times);
    return 0;
}

long bm_linux_alarm(unsigned seconds)
{
    struct bm_linux_times before =
        bm_linux_timer_set(&timers[REAL], (struct bm_linux_times){seconds * SECOND, 0}, 0);
    uint64_t whole = before.left / SECOND, rest = before.left % SECOND;
    return (long)(whole + ((!whole && rest) || rest >= SECOND / 2));
}
