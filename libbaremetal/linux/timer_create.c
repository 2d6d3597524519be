// Timers of POSIX: timer_create and its kin.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "timers.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

enum { CHUNK = 32, CHUNKS = 32 }; // timers that are made at once; of them
enum { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 4 };

struct timer {
    struct bm_linux_timer timer;
    bool used;
    int clock;
};

static struct timer *chunks[CHUNKS];
static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of which are used

static struct timer *timer_find(int number)
{
    if (number < 0 || number >= CHUNK * CHUNKS)
        return NULL;
    struct timer *chunk = __atomic_load_n(&chunks[number / CHUNK], __ATOMIC_ACQUIRE);
    return chunk && chunk[number % CHUNK].used ? &chunk[number % CHUNK] : NULL;
}

// The first that nobody has; NULL: there are too many, or memory ends.
static struct timer *timer_take(int *number)
{
    for (int i = 0; i < CHUNK * CHUNKS; i++) {
        struct timer **chunk = &chunks[i / CHUNK];
        if (!*chunk) {
            struct timer *made = bm_memory_permanent(CHUNK * sizeof *made, _Alignof(struct timer));
            if (!made)
                return NULL;
            __builtin_memset(made, 0, CHUNK * sizeof *made);
            __atomic_store_n(chunk, made, __ATOMIC_RELEASE);
        }
        struct timer *timer = &(*chunk)[i % CHUNK];
        if (timer->used)
            continue;
        *timer = (struct timer){.used = true};
        *number = i;
        return timer;
    }
    return NULL;
}

static int check_clock(int clock)
{
    switch (clock) {
    case LINUX_CLOCK_REALTIME:
    case LINUX_CLOCK_MONOTONIC:
    case LINUX_CLOCK_BOOTTIME:
    case LINUX_CLOCK_PROCESS_CPUTIME_ID:
    case LINUX_CLOCK_THREAD_CPUTIME_ID:
        return 0;
    case LINUX_CLOCK_MONOTONIC_RAW:
    case LINUX_CLOCK_REALTIME_COARSE:
    case LINUX_CLOCK_MONOTONIC_COARSE:
        return -BM_EOPNOTSUPP;
    default:
        return bm_linux_clock_getres(clock, NULL);
    }
}

static int check_event(const struct bm_linux_event *event)
{
    if (event->notify == SIGEV_NONE)
        return 0;
    if (event->notify != SIGEV_SIGNAL && event->notify != SIGEV_THREAD && event->notify != SIGEV_THREAD_ID)
        return -BM_EINVAL;
    if (event->notify == SIGEV_THREAD_ID && !bm_linux_signals_find(event->thread))
        return -BM_EINVAL;
    return event->signal > 0 && event->signal <= LINUX_SIGNALS ? 0 : -BM_EINVAL;
}

long bm_linux_timer_create(int clock, const struct bm_linux_event *wanted, int *number)
{
    struct bm_linux_event event = {0, LINUX_SIGALRM, SIGEV_SIGNAL, 0};
    int error = check_clock(clock), made = 0;
    if (error)
        return error;
    if (wanted)
        event = *wanted;
    error = check_event(&event);
    if (error)
        return error;
    bm_spinlock_acquire(&lock);
    struct timer *timer = timer_take(&made);
    bm_spinlock_release(&lock);
    if (!timer)
        return -BM_EAGAIN;
    timer->clock = clock;
    timer->timer.sends = event.notify != SIGEV_NONE;
    timer->timer.to = event.notify == SIGEV_THREAD_ID ? bm_linux_signals_find(event.thread) : NULL;
    timer->timer.generation = timer->timer.to ? timer->timer.to->generation : 0;
    timer->timer.own.what =
        (struct bm_linux_signal){.signal = event.signal,
                                 .code = LINUX_SI_TIMER,
                                 .words = {(unsigned)made, wanted ? event.value : (unsigned)made}};
    *number = made;
    return 0;
}

static struct linux_timespec timespec_of(uint64_t time)
{
    return (struct linux_timespec){(int64_t)(time / 1000000000), (int64_t)(time % 1000000000)};
}

static void tell(struct bm_linux_timer_value *to, struct bm_linux_times times)
{
    to->interval = timespec_of(times.interval);
    to->value = timespec_of(times.left);
}

long bm_linux_timer_settime(int number, int flags, const struct bm_linux_timer_value *wanted,
                            struct bm_linux_timer_value *old)
{
    struct bm_linux_times times;
    uint64_t wall = 0;
    if (!wanted || bm_linux_nanoseconds(&wanted->value, &times.left) ||
        bm_linux_nanoseconds(&wanted->interval, &times.interval))
        return -BM_EINVAL;
    struct timer *timer = timer_find(number);
    if (!timer)
        return -BM_EINVAL;
    if (!times.left)
        times.interval = 0;
    if (times.left && flags & LINUX_TIMER_ABSTIME) {
        uint64_t now = bm_time_monotonic();
        if (timer->clock == LINUX_CLOCK_REALTIME)
            wall = times.left;
        times.left = times.left > now ? times.left - now : 1;
    }
    times = bm_linux_timer_set(&timer->timer, times, wall);
    if (old)
        tell(old, times);
    return 0;
}

long bm_linux_timer_gettime(int number, struct bm_linux_timer_value *now)
{
    struct timer *timer = timer_find(number);
    if (!timer)
        return -BM_EINVAL;
    tell(now, bm_linux_timer_get(&timer->timer));
    return 0;
}

long bm_linux_timer_getoverrun(int number)
{
    struct timer *timer = timer_find(number);
    return timer ? (long)timer->timer.own.overruns : -BM_EINVAL;
}

// A pending signal of it goes, too.
long bm_linux_timer_delete(int number)
{
    struct timer *timer = timer_find(number);
    if (!timer)
        return -BM_EINVAL;
    bm_linux_timer_set(&timer->timer, (struct bm_linux_times){0, 0}, 0);
    bm_spinlock_acquire(&lock);
    timer->used = false;
    bm_spinlock_release(&lock);
    return 0;
}
