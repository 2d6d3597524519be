// The heap that a program has without asking takes no longer for a block when there are many: replacing one
// of 20,000 takes at most 20 times what replacing one of 200 takes. A heap that searches its free blocks one
// by one takes hundreds of times as long.
// SPDX-License-Identifier: MIT
// @machines q35
// @cpus max
// @memory 64
// @timeout 120
// @expect ^PASS$
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MANY = 20000, FEW = 200, REPLACED = 20000, RATIO = 20 };

static void *blocks[MANY];
static uint32_t state = 1;

static uint32_t next_random(void)
{
    state = state * 1103515245 + 12345;
    return state >> 8;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Nanoseconds that it takes to replace blocks among `count`; 0 when there was no memory.
static uint64_t replace_among(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = malloc(16 + next_random() % 1000);
    uint64_t begin = now();
    for (uint32_t i = 0; i < REPLACED; i++) {
        void **block = &blocks[next_random() % count];
        free(*block);
        *block = malloc(16 + next_random() % 1000);
        if (!*block)
            return 0;
    }
    uint64_t took = now() - begin;
    for (uint32_t i = 0; i < count; i++)
        free(blocks[i]);
    return took;
}

int main(void)
{
    replace_among(MANY); // takes the memory from the system
    uint64_t few = replace_among(FEW), many = replace_among(MANY);
    printf("20,000 blocks replaced among 200 in %lu us, among 20,000 in %lu us\n", few / 1000, many / 1000);
    bool passed = few && many && many <= RATIO * few;
    puts(passed ? "PASS" : "FAIL");
    return !passed;
}
