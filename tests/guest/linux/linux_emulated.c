// Programs of musl whose data is larger than what an emulated CPU keeps translations of at first: touching
// pages here and there costs about the same whether there are few or many.
// SPDX-License-Identifier: MIT
// @variants musl
// @machines q35
// @memory 128
// @smp 1,maxcpus=2
#include "check.h"

#include <stdint.h>
#include <time.h>

enum { PAGE = 4096, FEW = 64, MANY = 1024, TOUCHES = 4096, ROUNDS = 60 };

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Nanoseconds of touches of `count` pages in no order; a byte elsewhere in each, or they all want the same
// line.
static uint64_t touch(volatile char *pages, unsigned count)
{
    static uint32_t seed = 1;
    uint64_t began = now();
    for (unsigned i = 0; i < TOUCHES; i++) {
        seed = seed * 1664525 + 1013904223;
        pages[(seed >> 8) % count * PAGE + (seed >> 20)]++;
    }
    return now() - began;
}

// The least of some rounds each, as the host has other work. Where page tables are walked again and again,
// the ratio is 20 to 30, else 4 to 6.
static void measure(char *pages)
{
    uint64_t few = UINT64_MAX, many = UINT64_MAX;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t times[] = {touch(pages, FEW), touch(pages, MANY)};
        few = times[0] < few ? times[0] : few;
        many = times[1] < many ? times[1] : many;
    }
    printf("%u touches of %u pages: %lu ns, of %u: %lu ns\n", TOUCHES, FEW, few, MANY, many);
    CHECK(many < 12 * few);
}

int main(void)
{
    char *pages = malloc(MANY * PAGE);
    CHECK(pages);
    memset(pages, 1, MANY * PAGE);
    measure(pages);
    return passed();
}
