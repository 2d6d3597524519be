// The clocks of the vDSO beside the calls.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds(const struct timespec *time)
{
    return time->tv_sec * 1000000000ll + time->tv_nsec;
}

// Whether its time lies between those of two calls.
static int agrees(clockid_t clock, long long unit)
{
    struct timespec before, between, after;
    syscall(SYS_clock_gettime, clock, &before);
    if (clock_gettime(clock, &between))
        return 0;
    syscall(SYS_clock_gettime, clock, &after);
    return nanoseconds(&before) / unit <= nanoseconds(&between) / unit &&
           nanoseconds(&between) / unit <= nanoseconds(&after) / unit && between.tv_nsec < 1000000000;
}

int main(void)
{
    struct timespec before, after;
    struct timeval zone_less;
    unsigned core = 4096, node = 4096;
    printf("vDSO: %d\n", *(const int *)getauxval(AT_SYSINFO_EHDR) == 0x464c457f);
    printf("real time: %d\n", agrees(CLOCK_REALTIME, 1));
    printf("monotonic: %d %d %d\n", agrees(CLOCK_MONOTONIC, 1), agrees(CLOCK_MONOTONIC_RAW, 1),
           agrees(CLOCK_BOOTTIME, 1));
    int result = clock_gettime(77, &before);
    printf("no clock: %d %d\n", result, errno == EINVAL);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &before);
    gettimeofday(&zone_less, NULL);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &after);
    long long micro = zone_less.tv_sec * 1000000ll + zone_less.tv_usec;
    printf("gettimeofday: %d\n", nanoseconds(&before) / 1000 <= micro && micro <= nanoseconds(&after) / 1000);
    // Linux's time() is the coarse clock, which is a tick behind the fine one.
    syscall(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &before);
    time_t now = time(NULL);
    syscall(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &after);
    printf("time: %d\n", before.tv_sec <= now && now <= after.tv_sec);
    result = getcpu(&core, &node);
    printf("getcpu: %d %d %d\n", result, core < 4096, node < 4096);
    return 0;
}
