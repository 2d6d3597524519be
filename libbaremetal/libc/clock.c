// The POSIX clocks, and sleeping.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "libc.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull

static bool clock_read(clockid_t clock, uint64_t *time)
{
    switch (clock) {
    case CLOCK_REALTIME:
        *time = bm_time_wall();
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_PROCESS_CPUTIME_ID: // the program is all that runs
        *time = bm_time_monotonic();
        return true;
    default:
        errno = EINVAL;
        return false;
    }
}

// Nanoseconds of a time that must be valid: not negative, with a fraction below a second. Times beyond 500
// years count as 500 years.
static bool to_nanoseconds(const struct timespec *from, uint64_t *to)
{
    if (from->tv_sec < 0 || from->tv_nsec < 0 || from->tv_nsec >= (long)SECOND) {
        errno = EINVAL;
        return false;
    }
    uint64_t seconds = (uint64_t)from->tv_sec;
    *to = (seconds < 15768000000 ? seconds : 15768000000) * SECOND + (uint64_t)from->tv_nsec;
    return true;
}

static struct timespec to_timespec(uint64_t nanoseconds)
{
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / SECOND),
                             .tv_nsec = (long)(nanoseconds % SECOND)};
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    uint64_t now;
    if (!clock_read(clock, &now))
        return -1;
    *time = to_timespec(now);
    return 0;
}

int timespec_get(struct timespec *time, int base)
{
    if (base != TIME_UTC)
        return 0;
    *time = to_timespec(bm_time_wall());
    return base;
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    uint64_t now;
    if (!clock_read(clock, &now))
        return -1;
    if (resolution)
        *resolution = to_timespec(1);
    return 0;
}

int clock_settime(clockid_t clock, const struct timespec *time)
{
    uint64_t wanted;
    if (clock != CLOCK_REALTIME) {
        errno = EINVAL;
        return -1;
    }
    if (!to_nanoseconds(time, &wanted))
        return -1;
    bm_time_set_wall(wanted);
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    (void)zone; // obsolete, and POSIX leaves its effect open
    uint64_t now = bm_time_wall();
    time->tv_sec = (time_t)(now / SECOND);
    time->tv_usec = (suseconds_t)(now % SECOND / 1000);
    return 0;
}

int settimeofday(const struct timeval *time, const struct timezone *zone)
{
    (void)zone;
    struct timespec wanted = {.tv_sec = time->tv_sec, .tv_nsec = (long)time->tv_usec * 1000};
    return clock_settime(CLOCK_REALTIME, &wanted);
}

// Ticks of sysconf(_SC_CLK_TCK) a second. The program is all that runs, so what passed is its time.
clock_t times(struct tms *times)
{
    clock_t ticks = (clock_t)(bm_time_monotonic() / (SECOND / CLOCKS_PER_SEC));
    if (times)
        *times = (struct tms){.tms_utime = ticks};
    return ticks;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void sleep_for(uint64_t nanoseconds)
{
    bm_wait_woken(never, NULL, bm_time_monotonic() + nanoseconds);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    uint64_t duration;
    if (!to_nanoseconds(wanted, &duration))
        return -1;
    sleep_for(duration);
    if (left)
        *left = to_timespec(0);
    return 0;
}

// Returns an error number instead of setting errno, as POSIX has it.
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left)
{
    uint64_t time, now;
    int before = errno;
    if (!clock_read(clock, &now) || !to_nanoseconds(wanted, &time)) {
        errno = before;
        return EINVAL;
    }
    if (flags & TIMER_ABSTIME)
        time = time > now ? time - now : 0;
    sleep_for(time);
    if (left && !(flags & TIMER_ABSTIME))
        *left = to_timespec(0);
    return 0;
}

int usleep(useconds_t microseconds)
{
    sleep_for((uint64_t)microseconds * 1000);
    return 0;
}

unsigned sleep(unsigned seconds)
{
    sleep_for(seconds * SECOND);
    return 0;
}

// No signal will end it.
int pause(void)
{
    bm_wait_until(never, NULL, UINT64_MAX);
    errno = EINTR;
    return -1;
}

int sched_yield(void)
{
    if (bm_fiber_yield)
        bm_fiber_yield();
    else
        bm_poll();
    return 0;
}
