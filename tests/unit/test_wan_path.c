// The paths of `ci/bench wan`, against closed formulas.
// SPDX-License-Identifier: MIT
// @sources bench/wan/path.c
// @includes bench/wan
#include "path.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME = 1514, MANY = 1000000 };
#define MS     1000000ull
#define SECOND 1000000000ull

static struct path_fate send_one(const struct path *path, struct path_state *state, uint64_t now)
{
    assert_null(path_problem(path));
    return path_send(path, state, now, FRAME);
}

// `count` of `trials` with the chance `p`: within five standard deviations of a binomial distribution.
static void assert_chance(double count, double trials, double p)
{
    assert_true(fabs(count - trials * p) <= 5 * sqrt(trials * p * (1 - p)) + 1);
}

static void nothing_set(void **arg)
{
    (void)arg;
    const struct path path = {0};
    struct path_state state;
    path_start(&state, 1);
    for (uint64_t now = 0; now < 100; now++) {
        const struct path_fate fate = send_one(&path, &state, now);
        assert_int_equal(fate.end, PATH_ARRIVES);
        assert_int_equal(fate.at, now);
        assert_false(fate.twice);
    }
    assert_int_equal(state.counters.frames, 100);
    assert_int_equal(state.counters.bytes, 100 * FRAME);
}

// Frame n of a row that enters at once has left at floor(n * 8 * size / rate), whatever the rate.
static void rate_of_a_row(void **arg)
{
    (void)arg;
    static const uint64_t rates[] = {1000, 9600, 64000, 20000000, 33333333, 1000000007, 100000000000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        const struct path path = {.rate = rates[i], .delay = 7 * MS};
        struct path_state state;
        path_start(&state, 1);
        for (uint64_t n = 1; n <= 40000; n++) {
            const struct path_fate fate = send_one(&path, &state, 3);
            assert_int_equal(fate.end, PATH_ARRIVES);
            const uint64_t sent = (uint64_t)((unsigned __int128)n * FRAME * 8 * SECOND / rates[i]);
            assert_int_equal(fate.at, 3 + sent + 7 * MS);
        }
    }
}

// A bottleneck that is idle adds a frame's own time alone.
static void rate_when_idle(void **arg)
{
    (void)arg;
    const struct path path = {.rate = 20000000};
    struct path_state state;
    path_start(&state, 1);
    for (uint64_t now = 0; now < SECOND; now += MS)
        assert_int_equal(send_one(&path, &state, now).at, now + FRAME * 8 * SECOND / 20000000);
    assert_int_equal(state.counters.queued_max, FRAME);
}

// Twice as fast as the bottleneck: the queue holds what it holds, and half of the rest is dropped.
static void queue_overflows(void **arg)
{
    (void)arg;
    const uint64_t rate = 12112000; // a frame takes 1 ms
    const struct path path = {.rate = rate, .delay = 50 * MS, .queue = 40 * FRAME};
    struct path_state state;
    uint64_t longest = 0;
    path_start(&state, 1);
    for (uint64_t n = 0; n < 10000; n++) {
        const uint64_t now = n * MS / 2;
        const struct path_fate fate = send_one(&path, &state, now);
        if (fate.end == PATH_ARRIVES && fate.at - now > longest)
            longest = fate.at - now;
    }
    assert_true(state.counters.overflowed >= 10000 / 2 - 40 && state.counters.overflowed <= 10000 / 2 - 39);
    assert_true(longest <= 90 * MS && longest > 89 * MS);
    assert_true(state.counters.queued_max <= 40 * FRAME);
}

static void queue_takes_exactly_its_size(void **arg)
{
    (void)arg;
    const struct path path = {.rate = 1000000, .queue = 10 * FRAME};
    struct path_state state;
    path_start(&state, 1);
    for (int n = 0; n < 10; n++)
        assert_int_equal(send_one(&path, &state, 5).end, PATH_ARRIVES);
    assert_int_equal(send_one(&path, &state, 5).end, PATH_OVERFLOWED);
    assert_int_equal(state.counters.queued_max, 10 * FRAME);
    // One has left: there is room for one, and no more.
    const uint64_t later = 5 + (FRAME * 8 * SECOND + 1000000 - 1) / 1000000;
    assert_int_equal(send_one(&path, &state, later - 1).end, PATH_OVERFLOWED);
    assert_int_equal(send_one(&path, &state, later).end, PATH_ARRIVES);
    assert_int_equal(send_one(&path, &state, later).end, PATH_OVERFLOWED);
}

static void losses_alone(void **arg)
{
    (void)arg;
    static const uint32_t chances[] = {0, 1, 1000, 10000, 30000, 500000, 1000000};
    for (size_t i = 0; i < sizeof(chances) / sizeof(*chances); i++) {
        const struct path path = {.loss = chances[i]};
        struct path_state state;
        uint64_t pairs = 0;
        bool before = false;
        path_start(&state, 77 + i);
        for (int n = 0; n < MANY; n++) {
            const bool lost = send_one(&path, &state, 0).end == PATH_LOST;
            pairs += lost && before;
            before = lost;
        }
        const double p = chances[i] / 1e6;
        assert_chance((double)state.counters.lost, MANY, p);
        assert_chance((double)pairs, MANY, p * p); // one loss says nothing of the next
    }
}

// Gilbert: a burst begins with chance b of a frame outside, and ends with chance e of each frame inside. A
// cycle is 1/b - 1 frames that arrive and 1/e that are lost, in the mean; both lengths are geometric, so that
// of n bursts the mean is off by less than 1/sqrt(n) of itself, the share by less than sqrt(2/n) (one sigma).
static void losses_in_bursts(void **arg)
{
    (void)arg;
    static const uint32_t cases[][2] = {{1000, 250000}, {5000, 100000}, {20000, 500000}, {300000, 1000000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct path path = {.burst = cases[i][0], .burst_end = cases[i][1]};
        struct path_state state;
        uint64_t runs = 0;
        bool before = false;
        path_start(&state, 5 + i);
        for (int n = 0; n < MANY; n++) {
            const bool lost = send_one(&path, &state, 0).end == PATH_LOST;
            runs += lost && !before;
            before = lost;
        }
        const double b = cases[i][0] / 1e6, e = cases[i][1] / 1e6;
        const double cycle = 1 / b - 1 + 1 / e, share = 1 / e / cycle, bursts = MANY / cycle;
        assert_true(fabs((double)state.counters.lost / MANY / share - 1) < 5 * sqrt(2 / bursts));
        // Bursts that follow each other without a frame between look like one: a chance of b.
        const double length = 1 / e / (1 - b);
        assert_true(fabs((double)state.counters.lost / (double)runs / length - 1) < 5 / sqrt(bursts));
    }
}

static void jitter_is_even_and_keeps_order(void **arg)
{
    (void)arg;
    const struct path path = {.delay = 50 * MS, .jitter = 8 * MS};
    struct path_state state;
    double sum = 0;
    uint64_t last = 0, smallest = UINT64_MAX, largest = 0;
    path_start(&state, 3);
    for (uint64_t n = 0; n < 100000; n++) { // so far apart that none waits for the one before
        const uint64_t now = n * 20 * MS, took = send_one(&path, &state, now).at - now;
        sum += (double)took;
        smallest = took < smallest ? took : smallest;
        largest = took > largest ? took : largest;
    }
    assert_true(smallest >= 50 * MS && smallest < 50 * MS + MS / 100);
    assert_true(largest <= 58 * MS && largest > 58 * MS - MS / 100);
    assert_true(fabs(sum / 100000 - 54e6) < 5 * 8e6 / sqrt(12) / sqrt(100000));
    path_start(&state, 4);
    for (uint64_t n = 0; n < 100000; n++) {
        const uint64_t at = send_one(&path, &state, n * MS / 10).at;
        assert_true(at >= last);
        last = at;
    }
}

static void late_frames_are_overtaken(void **arg)
{
    (void)arg;
    const struct path path = {.delay = 10 * MS, .reorder = 10000, .late = 5 * MS, .duplicate = 20000};
    struct path_state state;
    uint64_t late = 0, twice = 0;
    path_start(&state, 9);
    for (uint64_t n = 0; n < MANY; n++) {
        const struct path_fate fate = send_one(&path, &state, n * 1000);
        assert_true(fate.at == n * 1000 + 10 * MS || fate.at == n * 1000 + 15 * MS);
        late += fate.at == n * 1000 + 15 * MS;
        twice += fate.twice;
    }
    assert_int_equal(late, state.counters.reordered);
    assert_int_equal(twice, state.counters.duplicated);
    assert_chance((double)late, MANY, 0.01);
    assert_chance((double)twice, MANY, 0.02);
}

static void largest_packet(void **arg)
{
    (void)arg;
    const struct path path = {.mtu = 1400};
    struct path_state state;
    path_start(&state, 1);
    assert_int_equal(path_send(&path, &state, 0, 1400 + PATH_LINK_HEADER).end, PATH_ARRIVES);
    assert_int_equal(path_send(&path, &state, 0, 1401 + PATH_LINK_HEADER).end, PATH_TOO_LARGE);
    assert_int_equal(state.counters.too_large, 1);
}

// The same seed, the same fate; another one, another. When frames enter, and what else is set, changes no
// loss.
static void chance_follows_from_the_seed(void **arg)
{
    (void)arg;
    const struct path plain = {.loss = 100000};
    const struct path other = {.loss = 100000,
                               .rate = 1000000,
                               .delay = MS,
                               .jitter = MS,
                               .reorder = 100000,
                               .late = MS,
                               .duplicate = 5};
    struct path_state states[4];
    unsigned differs = 0;
    for (unsigned i = 0; i < 4; i++)
        path_start(&states[i], i == 3 ? 43 : 42);
    for (uint64_t n = 0; n < 2000; n++) {
        const enum path_end first = send_one(&plain, &states[0], 0).end;
        assert_int_equal(send_one(&plain, &states[1], n).end, first);
        assert_int_equal(send_one(&other, &states[2], n * 20 * MS).end, first);
        differs += send_one(&plain, &states[3], 0).end != first;
    }
    assert_true(differs > 100);
}

static void problems_are_said(void **arg)
{
    (void)arg;
    static const struct path wrong[] = {
        {.loss = 1000001},
        {.burst = 1},
        {.burst = 1000001, .burst_end = 1},
        {.mtu = 575},
        {.queue = (64 << 20) + 1},
        {.rate = PATH_RATE_MAX + 1ull},
        {.reorder = 1000001},
        {.duplicate = 1000001},
        {.delay = PATH_TIME_MAX + 1ull},
        {.jitter = UINT64_MAX},
        {.late = UINT64_MAX},
    };
    static const struct path right[] = {
        {.mtu = 576}, {.burst = 1000000, .burst_end = 1}, {.rate = PATH_RATE_MAX, .delay = PATH_TIME_MAX}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_non_null(path_problem(&wrong[i]));
    for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
        assert_null(path_problem(&right[i]));
}

// The slowest bottleneck with the largest queue and frames: nothing overflows in the arithmetic.
static void extremes(void **arg)
{
    (void)arg;
    const struct path path = {.rate = 1, .queue = PATH_QUEUE_MAX};
    struct path_state state;
    uint64_t taken = 0, last = 0;
    path_start(&state, 1);
    for (int n = 0; n < 2000; n++) {
        const struct path_fate fate = path_send(&path, &state, 0, PATH_FRAME_MAX);
        if (fate.end != PATH_ARRIVES)
            continue;
        assert_int_equal(fate.at, last + PATH_FRAME_MAX * 8 * SECOND);
        last = fate.at;
        taken++;
    }
    assert_int_equal(taken, PATH_QUEUE_MAX / PATH_FRAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set),
        cmocka_unit_test(rate_of_a_row),
        cmocka_unit_test(rate_when_idle),
        cmocka_unit_test(queue_overflows),
        cmocka_unit_test(queue_takes_exactly_its_size),
        cmocka_unit_test(losses_alone),
        cmocka_unit_test(losses_in_bursts),
        cmocka_unit_test(jitter_is_even_and_keeps_order),
        cmocka_unit_test(late_frames_are_overtaken),
        cmocka_unit_test(largest_packet),
        cmocka_unit_test(chance_follows_from_the_seed),
        cmocka_unit_test(problems_are_said),
        cmocka_unit_test(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
