// Clocks and sleeping.
// SPDX-License-Identifier: MIT
// @optimize speed
#include "../file/credentials.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>

#define SECOND 1000000000ull

// The clock of a process or a thread: the number's complement, the bit THREAD, and 2 for its computing time.
static bool is_own_clock(int clock)
{
    enum { KIND = 3, SCHEDULED = 2, THREAD = 4 };
    int number = ~(clock >> 3);
    return clock < 0 && (clock & KIND) == SCHEDULED &&
           (clock & THREAD || number == 0 || number == LINUX_PROCESS);
}

static int clock_read(int clock, uint64_t *time)
{
    switch (is_own_clock(clock) ? LINUX_CLOCK_PROCESS_CPUTIME_ID : clock) {
    case LINUX_CLOCK_REALTIME:
    case LINUX_CLOCK_REALTIME_COARSE:
        *time = bm_time_wall();
        return 0;
    case LINUX_CLOCK_MONOTONIC:
    case LINUX_CLOCK_MONOTONIC_RAW:
    case LINUX_CLOCK_MONOTONIC_COARSE:
    case LINUX_CLOCK_BOOTTIME:
    case LINUX_CLOCK_PROCESS_CPUTIME_ID: // the program is all that runs
    case LINUX_CLOCK_THREAD_CPUTIME_ID:
        *time = bm_time_monotonic();
        return 0;
    default:
        return -BM_EINVAL;
    }
}

static struct linux_timespec to_timespec(uint64_t nanoseconds)
{
    return (struct linux_timespec){(int64_t)(nanoseconds / SECOND), (int64_t)(nanoseconds % SECOND)};
}

long bm_linux_clock_gettime(int clock, struct linux_timespec *time)
{
    uint64_t now;
    int error = clock_read(clock, &now);
    if (!error)
        *time = to_timespec(now);
    return error;
}

long bm_linux_clock_getres(int clock, struct linux_timespec *resolution)
{
    uint64_t now;
    int error = clock_read(clock, &now);
    if (!error && resolution)
        *resolution = to_timespec(1);
    return error;
}

// Times beyond 500 years count as 500 years.
int bm_linux_nanoseconds(const struct linux_timespec *from, uint64_t *to)
{
    *to = 0;
    if (from->seconds < 0 || from->nanoseconds < 0 || from->nanoseconds >= (int64_t)SECOND)
        return -BM_EINVAL;
    uint64_t seconds = (uint64_t)from->seconds;
    *to = (seconds < 15768000000 ? seconds : 15768000000) * SECOND + (uint64_t)from->nanoseconds;
    return 0;
}

uint64_t bm_linux_deadline(uint64_t nanoseconds)
{
    uint64_t now = bm_time_monotonic();
    return nanoseconds > UINT64_MAX - now ? UINT64_MAX : now + nanoseconds;
}

long bm_linux_clock_settime(int clock, const struct linux_timespec *time)
{
    uint64_t wanted;
    int error = bm_linux_nanoseconds(time, &wanted);
    if (!error && clock != LINUX_CLOCK_REALTIME)
        error = -BM_EINVAL;
    if (!error && !bm_may(BM_CAP_SYS_TIME))
        error = -BM_EPERM;
    if (error)
        return error;
    bm_time_set_wall(wanted);
    if (bm_linux_timers_clock_set)
        bm_linux_timers_clock_set();
    return 0;
}

long bm_linux_gettimeofday(struct linux_timeval *time, void *zone)
{
    (void)zone;
    uint64_t now = bm_time_wall();
    if (time)
        *time = (struct linux_timeval){(int64_t)(now / SECOND), (int64_t)(now % SECOND / 1000)};
    return 0;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

int bm_linux_sleep(uint64_t nanoseconds)
{
    struct bm_linux_signals *signals = bm_linux_signals_self ? bm_linux_signals_self() : NULL;
    if (!bm_wait_woken(signals ? bm_linux_signal_ready : never, signals, bm_linux_deadline(nanoseconds)))
        return 0;
    bm_linux_signal_take(signals);
    return -BM_EINTR;
}

long bm_linux_clock_nanosleep(int clock, int flags, const struct linux_timespec *wanted,
                              struct linux_timespec *left)
{
    uint64_t time, now, after;
    int error = bm_linux_nanoseconds(wanted, &time);
    if (!error)
        error = clock_read(clock, &now);
    if (error)
        return error;
    bool absolute = flags & LINUX_TIMER_ABSTIME;
    uint64_t until = absolute ? time : now + time;
    error = bm_linux_sleep(until > now ? until - now : 0);
    if (left && !absolute) {
        clock_read(clock, &after);
        *left = to_timespec(error && until > after ? until - after : 0);
    }
    return error;
}

long bm_linux_nanosleep(const struct linux_timespec *wanted, struct linux_timespec *left)
{
    return bm_linux_clock_nanosleep(LINUX_CLOCK_MONOTONIC, 0, wanted, left);
}

// Hundredths of a second; the program is all that runs, so what passed is its time.
long bm_linux_times(int64_t times[4])
{
    int64_t ticks = (int64_t)(bm_time_monotonic() / (SECOND / 100));
    if (times) {
        __builtin_memset(times, 0, 4 * sizeof *times);
        times[0] = ticks;
    }
    return ticks;
}

long bm_linux_pause(void)
{
    bm_linux_sleep(UINT64_MAX);
    return -BM_EINTR;
}

long bm_linux_time(int64_t *time)
{
    int64_t now = (int64_t)(bm_time_wall() / SECOND);
    if (time)
        *time = now;
    return now;
}

long bm_linux_settimeofday(const struct linux_timeval *time, const void *zone)
{
    (void)zone;
    if (!time)
        return 0;
    if (time->microseconds < 0 || time->microseconds >= 1000000)
        return -BM_EINVAL;
    const struct linux_timespec wanted = {time->seconds, time->microseconds * 1000};
    return bm_linux_clock_settime(LINUX_CLOCK_REALTIME, &wanted);
}

// struct timex. The clock is not steered: what would change it is refused.
struct adjustment {
    unsigned modes;
    int64_t offset, frequency, error_max, error_guessed;
    int status;
    int64_t constant, precision, tolerance;
    struct linux_timeval time;
    int64_t tick;
    char rest[112];
};
_Static_assert(sizeof(struct adjustment) == 208, "struct timex of x86-64");

long bm_linux_adjtimex(void *adjustment)
{
    enum { UNSYNCHRONISED = 0x40, ERROR = 5, ERROR_MAX = 16000000, TICK = 10000 };
    struct adjustment *told = adjustment;
    if (told->modes)
        return -BM_EPERM;
    *told = (struct adjustment){.error_max = ERROR_MAX,
                                .error_guessed = ERROR_MAX,
                                .status = UNSYNCHRONISED,
                                .constant = 2,
                                .precision = 1,
                                .tolerance = 32768000,
                                .tick = TICK};
    bm_linux_gettimeofday(&told->time, NULL);
    return ERROR;
}

long bm_linux_clock_adjtime(int clock, void *adjustment)
{
    return clock == LINUX_CLOCK_REALTIME ? bm_linux_adjtimex(adjustment) : -BM_EOPNOTSUPP;
}
