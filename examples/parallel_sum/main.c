// Adds the multiples of 3 or 5 below a number, on one core and on all, and compares times and formula.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -kernel parallel_sum -append "-- count=100000000" -smp 4 …
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <baremetal/work.h>

// Of COUNT_MAX the sum still fits into 64 bits.
#define COUNT_DEFAULT UINT64_C(100000000)
#define COUNT_MAX     UINT64_C(8000000000)
enum { PAIRS = 3 };

// What one core adds: the piece [begin, end) of the range. *part is this piece's own.
static void add_range(size_t begin, size_t end, void *part, void *arg)
{
    (void)arg;
    uint64_t sum = 0;
    for (size_t i = begin; i < end; i++)
        if (i % 3 == 0 || i % 5 == 0)
            sum += i;
    *(uint64_t *)part += sum;
}

// Joins the sums of two pieces.
static void join(void *result, const void *part, void *arg)
{
    (void)arg;
    *(uint64_t *)result += *(const uint64_t *)part;
}

static uint64_t sum_one_core(size_t count)
{
    uint64_t sum = 0;
    add_range(0, count, &sum, NULL);
    return sum;
}

static uint64_t sum_all_cores(size_t count)
{
    uint64_t sum = 0;
    const uint64_t zero = 0;
    bm_parallel_reduce(0, count, 0, add_range, join, &sum, &zero, sizeof(sum), NULL);
    return sum;
}

// Sum of the multiples of k below count: k * (1 + 2 + … + m).
static uint64_t sum_of_multiples(uint64_t count, uint64_t k)
{
    const uint64_t m = (count - 1) / k;
    return m % 2 == 0 ? k * (m / 2) * (m + 1) : k * m * ((m + 1) / 2);
}

static uint64_t formula(uint64_t count)
{
    return sum_of_multiples(count, 3) + sum_of_multiples(count, 5) - sum_of_multiples(count, 15);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// Runs one way to add, checks it, and keeps the best time.
static bool measure(const char *cores, uint64_t (*sum)(size_t count), size_t count, double *best)
{
    const double begin = seconds();
    const uint64_t found = sum(count);
    const double time = seconds() - begin;
    if (time < *best)
        *best = time;
    if (found == formula(count))
        return true;
    fprintf(stderr, "parallel_sum: %s found %" PRIu64 ", the formula says %" PRIu64 "\n", cores, found,
            formula(count));
    return false;
}

static bool parse(int argc, char **argv, size_t *count)
{
    for (int i = 1; i < argc; i++) {
        char *end = argv[i];
        errno = 0;
        if (strncmp(argv[i], "count=", 6) == 0 && argv[i][6] >= '0' && argv[i][6] <= '9')
            *count = strtoull(argv[i] + 6, &end, 10);
        if (end == argv[i] || *end != '\0' || errno != 0 || *count < 1 || *count > COUNT_MAX) {
            fprintf(stderr, "parallel_sum: '%s' is not known; known: count=n, 1 to %" PRIu64 "\n", argv[i],
                    COUNT_MAX);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    size_t count = COUNT_DEFAULT;
    if (!parse(argc, argv, &count))
        return EXIT_FAILURE;
    // By turns, so that a slow moment of the host hits both.
    double one = 1e9, all = 1e9;
    for (int i = 0; i < PAIRS; i++)
        if (!measure("one core", sum_one_core, count, &one) ||
            !measure("all cores", sum_all_cores, count, &all))
            return EXIT_FAILURE;
    printf("sum of the multiples of 3 or 5 below %zu: %" PRIu64 "\n", count, formula(count));
    printf("cores: %u\n", bm_core_count());
    printf("one core: %.3f ms, all cores: %.3f ms, speed-up %.2f (best of %d)\n", one * 1e3, all * 1e3,
           one / all, PAIRS);
    return EXIT_SUCCESS;
}
