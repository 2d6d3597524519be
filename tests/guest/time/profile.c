// The profiler: stacks of computing cores, asleep ones, begin and end by the program and by the word.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl
// @machines q35
// @link profile
// @smp 2
// @timeout 60
// @run by the word
// @append profile=100 -- word
// @status 35
// @expect ^profile: 100 samples a second$
// @expect ^profile: core 0;(.*;)?main;outer;inner [1-9]\d+$
// @forbid ^profile: core \d+;others
// @run by the word, exit under way
// @append profile=100 -- word exit
// @status 35
// @expect ^profile: 100 samples a second$
// @expect ^profile: core 0;(.*;)?main;outer;inner [1-9]\d+$
// @run by the program
// @append -- program
// @forbid ^profile:
// @run too slow
// @append profile=9 -- program
// @expect ^(error|warning): .*profile=9
// @forbid ^profile:
// @run no rate
// @append profile -- program
// @expect ^(error|warning): .*profile
// @forbid ^profile:
#include "check.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/profile.h>
#include <baremetal/time.h>
#include <baremetal/work.h>
#include <stdbool.h>
#include <stdint.h>

enum { MS = 1000000, ENOUGH = 20 };

static volatile unsigned turns;

static OPAQUE uint64_t inner(uint64_t time)
{
    uint64_t end = bm_time_monotonic() + time;
    while (bm_time_monotonic() < end)
        for (int i = 0; i < 20000; i++)
            turns++;
    return turns;
}

static OPAQUE uint64_t outer(uint64_t time)
{
    return inner(time) + 1;
}

// A leaf that the C library calls, where its own functions have no frame pointers.
static OPAQUE int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static OPAQUE void sorter(void)
{
    enum { COUNT = 10000 };
    static int numbers[COUNT];
    for (int i = 0; i < COUNT; i++)
        numbers[i] = (int)((unsigned)i * 2654435761u >> 8);
    qsort(numbers, COUNT, sizeof numbers[0], compare);
    CHECK(numbers[0] <= numbers[COUNT - 1]);
}

static OPAQUE void item(void *arg)
{
    outer(*(uint64_t *)arg);
    turns++;
}

// What bm_profile_read tells.
static struct {
    uint64_t all, in_inner, in_item, asleep, compared, compared_by_sorter;
} found;

static void take(void *arg, const char *line, size_t size)
{
    char copy[4096];
    CHECK(arg == &found && size > 0 && size < sizeof copy && line[size - 1] == '\n');
    memcpy(copy, line, size - 1);
    copy[size - 1] = 0;
    char *space = strrchr(copy, ' ');
    uint64_t count = strtoul(space + 1, NULL, 10);
    *space = 0;
    CHECK(count > 0 && !strncmp(copy, "core ", 5));
    found.all += count;
    if (strstr(copy, ";main;by_the_program;outer;inner"))
        found.in_inner += count;
    if (strstr(copy, ";item;outer;inner"))
        found.in_item += count;
    if (strstr(copy, ";compare")) {
        found.compared += count;
        if (strstr(copy, ";main;by_the_program;sorter;"))
            found.compared_by_sorter += count;
    }
    if (strstr(copy, ";asleep"))
        found.asleep += count;
    CHECK(bm_profile_read(take, NULL) == -BM_EBUSY);
}

static void read_samples(void)
{
    memset(&found, 0, sizeof found);
    CHECK(bm_profile_read(take, &found) == 0);
}

static OPAQUE void by_the_program(void)
{
    struct bm_work work;
    uint64_t time = 500ul * MS;
    CHECK(bm_core_count() == 2);
    CHECK(bm_profile_start(BM_PROFILE_RATE_MIN - 1) == -BM_EINVAL);
    CHECK(bm_profile_start(BM_PROFILE_RATE_MAX + 1) == -BM_EINVAL);
    read_samples();
    CHECK(found.all == 0);
    CHECK(bm_profile_start(200) == 0);
    CHECK(bm_profile_start(200) == -BM_EBUSY);
    do { // until it was seen: a loaded host may stop the machine for long
        outer(time);
        read_samples();
    } while (found.in_inner < ENOUGH || found.asleep < ENOUGH);
    bm_work_init(&work, item, &time);
    do {
        bm_work_submit_on(1, &work);
        bm_work_wait(&work);
        read_samples();
    } while (found.in_item < ENOUGH);
    do {
        sorter();
        read_samples();
    } while (found.compared < ENOUGH);
    CHECK(found.compared_by_sorter > found.compared / 2);
    bm_profile_stop();
    outer(20ul * MS); // what was under way
    read_samples();
    uint64_t before = found.all;
    outer(100ul * MS);
    read_samples();
    CHECK(found.all == before);
    CHECK(bm_profile_start(1000) == 0);
    do {
        outer(50ul * MS);
        read_samples();
    } while (found.all < before + ENOUGH);
}

int main(int argc, char **argv)
{
    CHECK(argc > 1);
    if (!strcmp(argv[1], "program")) {
        by_the_program();
        return passed();
    }
    outer(500ul * MS);
    if (argc > 2)
        exit(1);
    return 1;
}
