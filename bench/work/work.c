// Costs of work items: the same program over libbaremetal's queue, libgomp's tasks and oneTBB.
// SPDX-License-Identifier: MIT
//
// Reads commands from the console, one a line, and answers each with one line of JSON, so that several
// machines can be measured in alternation. Without commands it waits, and its machine is idle.
//
//   item N      N times: submit one empty item and wait
//   across N    the same, run by another core that looks for work
//   named N     the same, to core 1 by name
//   idle N T    the same, to another core that has slept up to T ms; the time of each, to run and to done
//   many N R    R times: submit N empty items, wait for all
//   for N       N times: a parallel loop with one empty index a core
//   meet N      the same, with indices that end when every core has one
//   spin K N    how long N turns of K steps of the arithmetic take
//   speed K N   N items of K steps: one after the other, then as items; who ran how many
//   quit
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "back.h"

enum { ITEMS_MAX = 65536, CORES_MAX = 256 };

static unsigned long first, second; // the command's numbers

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pause_for(uint64_t nanoseconds)
{
    uint64_t begin = now();
    while (now() - begin < nanoseconds)
        __builtin_ia32_pause();
}

static void empty(void *arg)
{
    (void)arg;
}

static void answer(const char *command, uint64_t nanoseconds)
{
    printf("{\"command\": \"%s\", \"count\": %lu, \"ns\": %" PRIu64 "}\n", command, first, nanoseconds);
}

static void measure_item(void)
{
    uint64_t begin = now();
    for (unsigned long i = 0; i < first; i++)
        back_item(empty, NULL);
    answer("item", now() - begin);
}

// What an item that crosses cores leaves behind.
static struct {
    volatile int done;
    unsigned core;
    uint64_t ran;
} crossing;

static void cross(void *arg)
{
    (void)arg;
    BM_MARKER(MARK_RUN);
    crossing.done = 1;
}

static void cross_once(void)
{
    crossing.done = 0;
    back_across(cross, NULL, &crossing.done);
}

static void cross_slowly(void *arg)
{
    pause_for(1000000);
    cross(arg);
}

// Two more items: the others wait for the first one, who submits waits long for the second. Traces show there
// what waiting looks like.
static void let_wait(int named)
{
    pause_for(1000000);
    crossing.done = 0;
    if (named) {
        back_named(cross, NULL);
        back_named(cross_slowly, NULL);
    } else {
        back_across(cross, NULL, &crossing.done);
        crossing.done = 0;
        back_across(cross_slowly, NULL, &crossing.done);
    }
}

static void measure_across(void)
{
    uint64_t begin = now();
    for (unsigned long i = 0; i < first; i++)
        cross_once();
    answer("across", now() - begin);
    let_wait(0);
}

static void measure_named(void)
{
    uint64_t begin = now();
    for (unsigned long i = 0; i < first; i++)
        if (!back_named(cross, NULL)) {
            printf("{\"command\": \"named\", \"count\": 0}\n");
            return;
        }
    answer("named", now() - begin);
    let_wait(1);
}

static void cross_timed(void *arg)
{
    (void)arg;
    BM_MARKER(MARK_RUN);
    crossing.ran = now();
    crossing.core = back_core();
    crossing.done = 1;
}

static void measure_idle(void)
{
    printf("{\"command\": \"idle\", \"count\": %lu, \"runs\": [", first);
    for (unsigned long i = 0; i < first; i++) {
        pause_for(second * 1000000); // the other cores find nothing and go to sleep
        crossing.done = 0;
        uint64_t begin = now();
        back_across(cross_timed, NULL, &crossing.done);
        printf("%s[%" PRIu64 ", %" PRIu64 "]", i ? ", " : "", crossing.ran - begin, now() - begin);
    }
    printf("]}\n");
}

static char dummies[ITEMS_MAX];

static void measure_many(void)
{
    uint64_t begin = now();
    for (unsigned long i = 0; i < second; i++)
        back_many(empty, dummies, 1, first);
    printf("{\"command\": \"many\", \"count\": %lu, \"rounds\": %lu, \"ns\": %" PRIu64 "}\n", first, second,
           now() - begin);
}

static void empty_index(size_t index)
{
    (void)index;
}

static void measure_for(void)
{
    size_t cores = back_cores();
    uint64_t begin = now();
    for (unsigned long i = 0; i < first; i++)
        back_for(empty_index, cores);
    answer("for", now() - begin);
}

static atomic_uint arrived;
static unsigned meeting; // cores

// Ends when every core has an index, so that no core takes two.
static void meet(size_t index)
{
    (void)index;
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) % meeting)
        __builtin_ia32_pause();
    BM_MARKER(MARK_RUN);
}

static void meet_slowly(size_t index)
{
    if (back_core())
        pause_for(1000000);
    meet(index);
}

static void measure_meet(void)
{
    size_t cores = meeting = back_cores();
    uint64_t begin = now();
    for (unsigned long i = 0; i < first; i++)
        back_for(meet, cores);
    answer("meet", now() - begin);
    pause_for(1000000); // two more, as in let_wait
    back_for(meet, cores);
    back_for(meet_slowly, cores);
}

__attribute__((noinline)) static unsigned long spin(unsigned long steps)
{
    unsigned long state = steps | 1;
    __asm__ volatile("" : "+r"(state)); // each call counts, and where it stands
    for (unsigned long i = 0; i < steps; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    return state;
}

static struct piece {
    unsigned long steps, result;
    unsigned core;
} pieces[ITEMS_MAX];

static void run_piece(void *arg)
{
    struct piece *piece = arg;
    piece->result = spin(piece->steps);
    piece->core = back_core();
}

static void measure_spin(void)
{
    volatile unsigned long sink;
    uint64_t begin = now();
    for (unsigned long i = 0; i < second; i++)
        sink = spin(first);
    (void)sink;
    answer("spin", now() - begin);
}

static void measure_speed(void)
{
    unsigned long counts[CORES_MAX] = {0};
    for (unsigned long i = 0; i < second; i++)
        pieces[i] = (struct piece){first, 0, 0};
    uint64_t begin = now();
    for (unsigned long i = 0; i < second; i++)
        run_piece(&pieces[i]);
    uint64_t middle = now();
    back_many(run_piece, (char *)pieces, sizeof pieces[0], second);
    uint64_t end = now();
    for (unsigned long i = 0; i < second; i++)
        counts[pieces[i].core % CORES_MAX]++;
    printf("{\"command\": \"speed\", \"steps\": %lu, \"count\": %lu, \"serial\": %" PRIu64
           ", \"parallel\": %" PRIu64 ", \"cores\": [",
           first, second, middle - begin, end - middle);
    for (unsigned i = 0; i < back_cores(); i++)
        printf("%s%lu", i ? ", " : "", counts[i]);
    printf("]}\n");
}

static const struct {
    const char *name;
    void (*measure)(void);
    int numbers, outside; // outside: not in back_enter
} commands[] = {
    {"item", measure_item, 1, 0}, {"across", measure_across, 1, 0}, {"named", measure_named, 1, 0},
    {"idle", measure_idle, 2, 0}, {"many", measure_many, 2, 0},     {"for", measure_for, 1, 1},
    {"meet", measure_meet, 1, 1}, {"spin", measure_spin, 2, 0},     {"speed", measure_speed, 2, 0},
};

static int run_command(const char *line)
{
    char name[16] = "";
    first = second = 0;
    int numbers = sscanf(line, "%15s %lu %lu", name, &first, &second) - 1;
    if (first > ITEMS_MAX * 64 || (!strcmp(name, "many") && first > ITEMS_MAX) ||
        (!strcmp(name, "speed") && second > ITEMS_MAX))
        return 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (!strcmp(name, commands[i].name) && numbers == commands[i].numbers) {
            BM_MARKER(BM_MARKER_TRACE_BEGIN);
            if (commands[i].outside)
                commands[i].measure();
            else
                back_enter(commands[i].measure);
            BM_MARKER(BM_MARKER_TRACE_END);
            return 1;
        }
    return 0;
}

int main(void)
{
    char line[80];
    printf("{\"command\": \"ready\", \"name\": \"%s\", \"cores\": %u}\n", back_name, back_cores());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4)) {
        if (!run_command(line))
            printf("{\"command\": \"error\"}\n");
        fflush(stdout);
    }
    return 0;
}
