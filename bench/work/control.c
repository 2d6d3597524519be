// What the host gives at this moment: the arithmetic of work.c, alone and on several threads.
// SPDX-License-Identifier: MIT
//
// Answers each line `go THREADS STEPS` with one line of JSON: nanoseconds for all STEPS on one thread, and
// shared out.
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 64 };

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static __attribute__((noinline)) void *spin(void *arg)
{
    unsigned long steps = *(unsigned long *)arg, state = steps | 1;
    for (unsigned long i = 0; i < steps; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    *(volatile unsigned long *)arg = state;
    return NULL;
}

// Each thread on a processor of its own: what is asked is what the processors give, not where the scheduler
// puts threads.
static void stay_on(unsigned processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    sched_setaffinity(0, sizeof one, &one); // refused where there are fewer: then the scheduler chooses
}

static pthread_barrier_t begun, done;
static unsigned long shares[THREADS_MAX];

// The threads live as long as the program, as the threads of an emulator do.
static void *work(void *share)
{
    stay_on((unsigned)((unsigned long *)share - shares));
    for (;;) {
        pthread_barrier_wait(&begun);
        spin(share);
        pthread_barrier_wait(&done);
    }
    return NULL;
}

int main(int count, char **words)
{
    unsigned threads = count == 2 ? (unsigned)atoi(words[1]) : 0;
    unsigned long steps;
    if (threads < 1 || threads > THREADS_MAX)
        return 1;
    stay_on(0);
    pthread_barrier_init(&begun, NULL, threads);
    pthread_barrier_init(&done, NULL, threads);
    for (unsigned i = 1; i < threads; i++)
        if (pthread_create(&(pthread_t){0}, NULL, work, &shares[i]))
            return 1;
    while (scanf("%lu", &steps) == 1) {
        unsigned long whole = steps;
        for (unsigned i = 0; i < threads; i++)
            shares[i] = steps / threads;
        uint64_t begin = now();
        spin(&whole);
        uint64_t middle = now();
        pthread_barrier_wait(&begun);
        spin(&shares[0]);
        pthread_barrier_wait(&done);
        printf("{\"serial\": %" PRIu64 ", \"parallel\": %" PRIu64 "}\n", middle - begin, now() - middle);
        fflush(stdout);
    }
    return 0;
}
