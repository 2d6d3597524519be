// What malloc and free cost with the heap that was linked: instructions of a pair, pairs a second.
// SPDX-License-Identifier: MIT
//
// Run with -icount shift=0, where the time-stamp counter counts instructions, for the first lines; without,
// for the last.
#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>
#include <baremetal/work.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 20000, KEPT = 500, CORES_MAX = 255 };

static void *(*volatile take)(size_t) = malloc;
static void (*volatile give)(void *) = free;
static void *blocks[CORES_MAX][KEPT];

static unsigned next(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

// One block at a time.
static void pairs_of(size_t size)
{
    for (unsigned i = 0; i < PAIRS; i++)
        give(take(size));
}

// Sizes up to 1 KiB come and go at random, KEPT of them at a time.
static void churn(void **kept, unsigned seed)
{
    unsigned state = seed;
    for (unsigned i = 0; i < PAIRS; i++) {
        void **slot = &kept[next(&state) % KEPT];
        give(*slot);
        *slot = take(next(&state) % 1024);
    }
}

static void none(void **kept, unsigned seed)
{
    unsigned state = seed;
    for (unsigned i = 0; i < PAIRS; i++) {
        void **slot = &kept[next(&state) % KEPT];
        __asm__ volatile("" : : "r"(slot), "r"(next(&state) % 1024));
    }
}

static void frames(void)
{
    for (unsigned i = 0; i < PAIRS; i++)
        bm_frame_free(bm_frame_allocate(0), 0);
}

static uint64_t counted(void (*function)(size_t), size_t size)
{
    uint64_t begin = bm_cpu_tsc();
    function(size);
    return bm_cpu_tsc() - begin;
}

static uint64_t churned(void (*function)(void **, unsigned))
{
    uint64_t begin = bm_cpu_tsc();
    function(blocks[0], 1);
    return bm_cpu_tsc() - begin;
}

static void count(void)
{
    pairs_of(64);
    printf("pair 64: %lu\n", counted(pairs_of, 64) / PAIRS);
    printf("pair 1000: %lu\n", counted(pairs_of, 1000) / PAIRS);
    pairs_of(20000);
    printf("pair 20000: %lu\n", counted(pairs_of, 20000) / PAIRS);
    churn(blocks[0], 1);
    uint64_t free_before = bm_memory_statistics_get().free, with = churned(churn);
    printf("mixed: %lu\n", (with - churned(none)) / PAIRS);
    printf("frames for those: %lu\n", (free_before - bm_memory_statistics_get().free) / BM_PAGE_SIZE);
    uint64_t begin = bm_cpu_tsc();
    frames();
    printf("frame: %lu\n", (bm_cpu_tsc() - begin) / PAIRS);
}

// What the cores do between two looks at the clock. Computing alone says what the host lets several cores do.
enum job { MIXED, FRAMES, COMPUTING, JOBS };

static const char *const names[JOBS] = {"mixed", "frames", "computing"};
static const unsigned rounds_of[JOBS] = {10, 10, 300};
static atomic_uint arrived;
static unsigned running;
static enum job job;

static void one_core(void *arg)
{
    unsigned core = (unsigned)(uintptr_t)arg;
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < running)
        ;
    for (unsigned round = 0; round < rounds_of[job]; round++) {
        if (job == FRAMES)
            frames();
        else if (job == MIXED)
            churn(blocks[core], core + round);
        else
            none(blocks[core], core + round);
    }
}

// Rounds a millisecond of all cores together, times PAIRS.
static unsigned long rate(unsigned cores)
{
    static struct bm_work work[CORES_MAX];
    atomic_store(&arrived, 0);
    running = cores;
    uint64_t begin = bm_time_monotonic();
    for (unsigned core = 0; core < cores; core++) {
        bm_work_init(&work[core], one_core, (void *)(uintptr_t)core);
        bm_work_submit_on(core, &work[core]);
    }
    for (unsigned core = 0; core < cores; core++)
        bm_work_wait(&work[core]);
    return (unsigned long)((uint64_t)rounds_of[job] * PAIRS * cores * 1000000 /
                           (bm_time_monotonic() - begin));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "count") == 0) {
        count();
        return 0;
    }
    rate(bm_core_count()); // what is translated and taken once
    for (unsigned cores = 1; cores <= bm_core_count(); cores *= 2)
        for (job = 0; job < JOBS; job++)
            printf("%s %u: %lu\n", names[job], cores, rate(cores));
    return 0;
}
