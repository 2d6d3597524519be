// How many instructions a call takes, and a clock of the vDSO: read by the time-stamp counter, which counts
// them when the test says so.
// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <x86intrin.h>

enum { CALLS = 1000 };

static uint64_t measure(int calls)
{
    uint64_t before = __rdtsc();
    for (int i = 0; i < CALLS; i++) {
        long number = SYS_getppid;
        if (calls)
            __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
        else
            __asm__ volatile("nop" : "+a"(number) : : "rcx", "r11", "memory");
    }
    return __rdtsc() - before;
}

static uint64_t measure_clock(void)
{
    struct timespec time;
    uint64_t before = __rdtsc();
    for (int i = 0; i < CALLS; i++)
        clock_gettime(CLOCK_MONOTONIC, &time);
    return __rdtsc() - before;
}

int main(void)
{
    measure(1);
    uint64_t empty = measure(0), full = measure(1);
    printf("getppid: %lu instructions\n", (full - empty) / CALLS + 1);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do // it is calibrated meanwhile
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec - start.tv_sec < 2);
    printf("clock_gettime: %lu instructions\n", measure_clock() / CALLS);
    return 0;
}
