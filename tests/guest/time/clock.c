// Clocks: the monotonic one never goes back and keeps the host's pace; the wall clock is right; sleep sleeps.
// SPDX-License-Identifier: MIT
// @variants picolibc musl
// @wall_clock ^time (\d+)$
// @input ^begin$ => \n
// @interval ^begin$ => 1.9 5.0
// @input ^end$ => \n
// @run kvmclock or TSC
// @run least
// @argument -no-hpet
// @run measured by the local APIC's timer
// @machines microvm,pit=off,pic=off,rtc=on microvm,acpi=off,pit=off,pic=off,rtc=on
// @append log=info
// @expect time-stamp counter runs at \d{6,7} kHz by the local APIC's timer
// @run loaded host
// @host_load 6
// @machines q35
// @timeout 60

#include <baremetal/time.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static long long nanoseconds(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void check_order(void)
{
    long long last = nanoseconds(CLOCK_MONOTONIC);
    for (int i = 0; i < 100000; i++) {
        long long now = nanoseconds(CLOCK_MONOTONIC);
        CHECK(now >= last);
        last = now;
    }
}

// Returns the nanoseconds for which a sleep lasts too long.
static long long sleep_over(long long duration)
{
    struct timespec wanted = {duration / 1000000000, duration % 1000000000};
    long long before = nanoseconds(CLOCK_MONOTONIC);
    CHECK(nanosleep(&wanted, NULL) == 0);
    long long slept = nanoseconds(CLOCK_MONOTONIC) - before;
    CHECK(slept >= duration);
    return slept - duration;
}

// None of a few sleeps ends in time only when it is not the host that is busy.
static void check_short_sleep(long long duration)
{
    int tries = 0;
    while (sleep_over(duration) > 500000000)
        CHECK(++tries < 10);
}

// The wall clock less the monotonic one: it lies between the two numbers, however long the host stops in
// between.
struct difference {
    long long least, most;
};

static struct difference clock_difference(void)
{
    const long long before = nanoseconds(CLOCK_MONOTONIC);
    const long long wall = nanoseconds(CLOCK_REALTIME);
    return (struct difference){wall - nanoseconds(CLOCK_MONOTONIC), wall - before};
}

int main(void)
{
    printf("source %s\n", bm_time_source());
    printf("time %lld\n", (long long)time(NULL));
    struct timeval day;
    const time_t before = time(NULL);
    CHECK(gettimeofday(&day, NULL) == 0);
    CHECK(before <= day.tv_sec && day.tv_sec <= time(NULL));
    check_order();
    for (long long duration = 1; duration <= 100000000; duration *= 10) {
        check_short_sleep(duration);
    }
    struct timespec bad = {0, 1000000000};
    CHECK_ERRNO(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERRNO(clock_gettime((clockid_t)77, &bad), EINVAL);
    const struct difference first = clock_difference();
    puts("begin");
    CHECK(getchar() == '\n'); // the host looks at its own clock
    sleep_over(2000000000);
    puts("end");
    CHECK(getchar() == '\n');
    const struct difference second = clock_difference();
    CHECK(second.least - first.most < 50000000 && second.most - first.least > -50000000);
    CHECK(usleep(1000) == 0);
    return passed();
}
