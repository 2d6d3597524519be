// Estimates pi from random points on all cores; main draws the progress while they work.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -kernel monte_carlo -append "-- points=100000000 seed=7" -smp 4 …
//
// Every item has a random stream of its own, seeded by the item's number. So the result depends on the
// arguments alone: not on how many cores there are, nor on which of them ran what.
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <baremetal/work.h>

#define PI         3.14159265358979323846
#define POINTS_MAX UINT64_C(1000000000000)
enum { ITEMS = 256, BAR_WIDTH = 40, FRAMES_A_SECOND = 20 };

struct item {
    struct bm_work work;
    uint64_t seed, points;
    uint64_t inside; // the result
};

static struct item items[ITEMS];

// SplitMix64: a counter, and a mixer that makes its steps look random.
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t next_random(uint64_t *state)
{
    return mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

// The work: how many of the item's points, in a square of side 2^31, lie in the quarter circle. In integers,
// so that nothing is rounded.
static void throw_points(void *arg)
{
    struct item *item = arg;
    uint64_t state = mix(item->seed), inside = 0;
    for (uint64_t i = 0; i < item->points; i++) {
        const uint64_t random = next_random(&state);
        const uint64_t x = random >> 33, y = random & 0x7fffffff;
        inside += x * x + y * y < UINT64_C(1) << 62;
    }
    item->inside = inside;
}

// Draws the bar over the last one, with what the items that are done say.
static void draw_progress(void)
{
    unsigned done = 0;
    uint64_t inside = 0, points = 0;
    for (unsigned i = 0; i < ITEMS; i++) {
        if (bm_work_done(&items[i].work)) {
            done++;
            inside += items[i].inside;
            points += items[i].points;
        }
    }
    char bar[BAR_WIDTH + 1] = "";
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', done * BAR_WIDTH / ITEMS);
    printf("\r[%s] %3u %%  pi %.5f", bar, done * 100 / ITEMS,
           points > 0 ? 4.0 * (double)inside / (double)points : 0);
    fflush(stdout);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// Hands out the points; returns when all are thrown. While main waits for an item it runs others, so it is
// never away from the bar for longer than an item takes. A core takes its own youngest item first: waiting
// from the last item to the first, main waits for what it would run anyway.
static uint64_t count_inside(uint64_t points, uint64_t seed)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        bm_work_init(&items[i].work, throw_points, &items[i]);
        items[i].seed = mix(seed) + i;
        items[i].points = points / ITEMS + (i < points % ITEMS);
    }
    for (unsigned i = 0; i < ITEMS; i++)
        bm_work_submit(&items[i].work);

    uint64_t inside = 0;
    double drawn = 0;
    for (unsigned i = ITEMS; i-- > 0;) {
        bm_work_wait(&items[i].work);
        inside += items[i].inside;
        if (i == 0 || seconds() - drawn > 1.0 / FRAMES_A_SECOND) {
            draw_progress();
            drawn = seconds();
        }
    }
    printf("\n");
    return inside;
}

// The value of `argument` if it is `key` and a number of at most `most`.
static bool parse_number(const char *argument, const char *key, uint64_t most, uint64_t *value)
{
    const size_t length = strlen(key);
    if (strncmp(argument, key, length) != 0 || argument[length] == '\0')
        return false;
    uint64_t number = 0;
    for (const char *p = argument + length; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || number > (most - (uint64_t)(*p - '0')) / 10)
            return false;
        number = number * 10 + (uint64_t)(*p - '0');
    }
    *value = number;
    return true;
}

static bool parse(int argc, char **argv, uint64_t *points, uint64_t *seed)
{
    for (int i = 1; i < argc; i++) {
        if (parse_number(argv[i], "seed=", UINT64_MAX, seed) ||
            (parse_number(argv[i], "points=", POINTS_MAX, points) && *points > 0))
            continue;
        fprintf(stderr, "monte_carlo: '%s' is not known; known: points=n, 1 to %" PRIu64 ", and seed=n\n",
                argv[i], POINTS_MAX);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t points = 100000000, seed = 1;
    if (!parse(argc, argv, &points, &seed))
        return EXIT_FAILURE;
    const double begin = seconds();
    const uint64_t inside = count_inside(points, seed);
    const double time = seconds() - begin;
    const double pi = 4.0 * (double)inside / (double)points;
    printf("inside: %" PRIu64 " of %" PRIu64 ", pi is about %.6f\n", inside, points, pi);
    printf("cores: %u, time: %.3f s\n", bm_core_count(), time);
    // Six standard deviations of the estimate: chance stays below in all but one of 500 million seeds.
    const double bound = 6 * sqrt(PI * (4 - PI) / (double)points);
    if (fabs(pi - PI) > bound) {
        fprintf(stderr, "monte_carlo: that is further than %.6f from pi; the points are not random\n", bound);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
