// The TCP engine over long and lossy paths: how fast, and that what arrives is what was sent.
// SPDX-License-Identifier: MIT
// @sources net/tcp/engine/acknowledge.c net/tcp/engine/congestion.c net/tcp/engine/connection.c
// @sources net/tcp/engine/cookie.c net/tcp/engine/cubic.c net/tcp/engine/input.c net/tcp/engine/listen.c
// @sources net/tcp/engine/option.c net/tcp/engine/output.c net/tcp/engine/pace.c net/tcp/engine/rack.c
// @sources net/tcp/engine/reassembly.c net/tcp/engine/receive.c net/tcp/engine/recovery.c
// @sources net/tcp/engine/room.c net/tcp/engine/scoreboard.c net/tcp/engine/segment.c
// @sources net/tcp/engine/shard.c net/tcp/engine/synchronize.c net/tcp/engine/time_wait.c
// @sources net/tcp/engine/timers.c net/tcp/engine/wheel.c net/tcp/engine/write.c
// @sources net/tcp/engine/predict.c net/tcp/siphash.c tests/unit/tcp_engine/world.c
#include "tcp_engine/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

// A way as the wan bench has them (docs/tcp-engine.md): what a download of `size` has to reach, in KB/s, at
// 20, 50, 100 and 200 ms; about 0.9 of what a Linux guest reached over the same wire, and behind a bottleneck
// what pacing makes of it: unpaced it is 1,486 and 3,741 at 200 ms.
struct kind {
    const char *name;
    struct link link;
    uint32_t size;
    unsigned floors[4];
};

static const struct kind kinds[] = {
    {"none", {0}, 16 * MIB, {11900, 8500, 5900, 3300}},
    {"0.1 %", {.loss = 1000}, 16 * MIB, {2130, 1410, 1060, 360}},
    {"1 %", {.loss = 10000}, 2 * MIB, {585, 280, 170, 126}},
    {"3 %", {.loss = 30000}, 2 * MIB, {270, 135, 90, 54}},
    {"reorder", {.reorder = 10000, .reorder_us = 5000}, 16 * MIB, {4300, 8000, 6060, 3050}},
    {"20M", {.kbit = 20000, .queue = 64 << 10}, 16 * MIB, {2200, 2100, 2000, 1700}},
    {"100M", {.kbit = 100000, .queue = 256 << 10}, 16 * MIB, {10000, 8700, 7000, 4500}},
};
static const uint32_t trips[4] = {20000, 50000, 100000, 200000};

static unsigned once(const struct kind *kind, uint32_t rtt, uint64_t seed, bool up)
{
    struct world world = {0};
    struct pair pair = {0};
    world_start(&world, seed);
    for (int i = 0; i < 2; i++) {
        world.machines[i].out = kind->link;
        world.machines[i].out.delay_us = rtt / 2;
    }
    pair.flows[up ? 0 : 1] = (struct flow){.seed = seed, .size = kind->size};
    world_connect(&world, &pair);
    bool done = world_run(&world, world.now + 3600000000u);
    struct flow *flow = &pair.flows[up ? 0 : 1];
    assert_true(done);
    assert_false(flow->wrong);
    assert_int_equal(flow->received, flow->size);
    unsigned rate = (unsigned)(flow->size * 1000 / (flow->done_at - flow->began));
    if (getenv("TCP_ENGINE_SHOW")) {
        const struct bm_tcp_counters *n = bm_tcp_shard_counters(world.machines[up ? 0 : 1].shard);
        printf("    [%s %u] %u KB/s again %lu recoveries %lu timeouts %lu probes %lu spurious %lu dsack %lu "
               "dropped %u\n",
               kind->name, rtt / 1000, rate, (unsigned long)n->retransmitted,
               (unsigned long)n->fast_recoveries, (unsigned long)n->timeouts, (unsigned long)n->tail_probes,
               (unsigned long)n->spurious, (unsigned long)n->duplicates_reported,
               world.machines[up ? 0 : 1].out.dropped);
    }
    world_stop(&world);
    return rate;
}

static int by_size(const void *one, const void *other)
{
    return (int)(*(const unsigned *)one - *(const unsigned *)other);
}

static void the_grid(void **state)
{
    enum { ROUNDS_MAX = 99 };
    const char *more = getenv("TCP_ENGINE_ROUNDS");
    const unsigned rounds = more ? (unsigned)atoi(more) % ROUNDS_MAX : 3;
    bool slow = false, whole = getenv("TCP_ENGINE_GRID"); // else half of it
    (void)state;
    for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (unsigned t = whole ? 0 : 1; t < 4; t += whole ? 1 : 2) {
            unsigned rates[ROUNDS_MAX];
            for (unsigned i = 0; i < rounds; i++)
                rates[i] = once(&kinds[k], trips[t], i + 1, false);
            qsort(rates, rounds, sizeof *rates, by_size);
            bool low = rates[rounds / 2] < kinds[k].floors[t];
            printf("%-8s %3u ms: %5u KB/s (floor %u)%s\n", kinds[k].name, trips[t] / 1000, rates[rounds / 2],
                   kinds[k].floors[t], low ? " LOW" : "");
            slow |= low;
        }
    assert_false(slow);
}

// The way becomes narrower and buffers change while data is on its way.
static bool run_with_changes(struct world *world, struct pair *pair)
{
    uint64_t end = world->now + 7200000000u;
    for (unsigned left = world_random(world) % 6; left; left--) {
        if (world_run(world, world->now + 1 + world_random(world) % 400000))
            return true;
        struct bm_tcp_connection *c = pair->ends[world_random(world) % 2];
        if (!c || c->state < BM_TCP_ESTABLISHED)
            continue;
        if (world_random(world) % 2)
            bm_tcp_set_mss(c, (uint16_t)(500 + world_random(world) % 1000));
        else
            bm_tcp_set_buffers(c, 3000 + world_random(world) % 200000, 3000 + world_random(world) % 200000);
    }
    return world_run(world, end);
}

// Random lengths, ways, windows and sizes of writes.
static void transfers(uint64_t first, unsigned count)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct world world = {.random = seed * 77 + 5};
        for (int i = 0; i < 2; i++) {
            world.limits[i].no_sack = world_random(&world) % 4 == 0;
            world.limits[i].no_timestamps = world_random(&world) % 3 == 0;
            world.limits[i].no_window_scale = world_random(&world) % 4 == 0;
            world.limits[i].ecn = world_random(&world) % 2;
        }
        struct pair pair = {0};
        world_start(&world, seed);
        world.way_mss = world_random(&world) % 3 ? 0 : (uint16_t)(500 + world_random(&world) % 8000);
        for (int i = 0; i < 2; i++) {
            uint32_t r = world_random(&world);
            world.machines[i].out =
                (struct link){.delay_us = world_random(&world) % 50000,
                              .loss = r % 3 ? world_random(&world) % 60000 : 0,
                              .reorder = r / 3 % 3 ? world_random(&world) % 100000 : 0,
                              .reorder_us = world_random(&world) % 20000,
                              .duplicate = r / 9 % 3 ? world_random(&world) % 50000 : 0,
                              .corrupt = r / 27 % 3 ? world_random(&world) % 20000 : 0,
                              .kbit = r / 81 % 3 ? 0 : 1000 + world_random(&world) % 20000,
                              .queue = 20000 + world_random(&world) % 100000,
                              .marks = true};
            pair.flows[i] = (struct flow){.seed = world_random(&world),
                                          .size = world_random(&world) % (1 << world_random(&world) % 22),
                                          .chunk = 1 + world_random(&world) % 9000};
            if (r / 243 % 4 == 0)
                pair.flows[i].pause_each = 20000, pair.flows[i].pause_us = 700000;
            world.machines[i].fail_one_in = r / 1000 % 8 ? 0 : 50;
        }
        world_connect(&world, &pair);
        bool done = pair.ends[0] ? run_with_changes(&world, &pair) : true;
        for (int i = 0; i < 2; i++) {
            struct flow *flow = &pair.flows[i];
            bool whole = flow->finished && flow->received == flow->size;
            if (flow->wrong || !done ||
                (!whole && !world.machines[0].fail_one_in && !world.machines[1].fail_one_in))
                fail_msg("seed %lu flow %d: %lu of %lu bytes%s%s%s", (unsigned long)seed, i,
                         (unsigned long)flow->received, (unsigned long)flow->size,
                         flow->wrong ? ", wrong" : "", done ? "" : ", not done",
                         flow->ended ? ", ended" : "");
        }
        world_stop(&world);
    }
}

static void content(void **state)
{
    const char *more = getenv("TCP_ENGINE_TRANSFERS"), *first = getenv("TCP_ENGINE_FIRST");
    (void)state;
    transfers(first ? (unsigned)atoi(first) : 1, more ? (unsigned)atoi(more) : 300);
}

// A window of several MB meets a device whose queue holds 512 frames, as a machine's does: the engine waits
// for it, and nothing is lost in the machine itself.
static void a_full_device(void **state)
{
    (void)state;
    for (unsigned flows = 1; flows <= 8; flows *= 8) {
        struct world world = {0};
        struct pair pairs[8] = {0};
        world_start(&world, flows);
        world_links(&world, 200000);
        world.machines[0].device = (struct device){.kbit = 400000, .frames = 512, .full_at = 64};
        for (unsigned i = 0; i < flows; i++) {
            pairs[i].flows[0] = (struct flow){.seed = i, .size = 16 * MIB};
            world_connect(&world, &pairs[i]);
        }
        assert_true(world_run(&world, world.now + 600000000u));
        const struct bm_tcp_counters *n = bm_tcp_shard_counters(world.machines[0].shard);
        assert_int_equal(world.machines[0].device.dropped, 0);
        assert_in_range(world.machines[0].device.longest, 1, 64 + 8);
        assert_int_equal(n->retransmitted, 0);
        uint64_t first = UINT64_MAX, last = 0;
        for (unsigned i = 0; i < flows; i++) {
            const struct flow *flow = &pairs[i].flows[0];
            assert_true(flow->finished && !flow->wrong && flow->received == flow->size);
            first = flow->done_at < first ? flow->done_at : first;
            last = flow->done_at > last ? flow->done_at : last;
        }
        assert_true(flows == 1 || last - first < (last - pairs[0].flows[0].began) / 4); // they take turns
        assert_true(flows * 16 * MIB * 1000ull / (last - pairs[0].flows[0].began) >
                    (flows == 1 ? 5000 : 25000));
        assert_null(world.machines[0].shard->room_first);
        world_stop(&world);
    }
}

// A device that never has room again does not keep a connection for ever.
static void a_dead_device(void **state)
{
    struct world world = {0};
    struct pair pair = {0};
    (void)state;
    world_start(&world, 1);
    world.machines[0].device = (struct device){.kbit = 400000, .frames = 512, .full_at = 1};
    pair.flows[0] = (struct flow){.size = MIB};
    world_connect(&world, &pair);
    world_run(&world, world.now + 2000);
    world.machines[0].device.frames = 0;
    while (!pair.flows[0].ended && world.now < 7200000000u) {
        world.machines[0].device.room_at = 0;
        world_run(&world, world.now + 1000);
    }
    assert_true(pair.flows[0].ended);
    assert_int_equal(pair.flows[0].why, BM_TCP_TIMED_OUT);
    assert_null(world.machines[0].shard->room_first);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(content), cmocka_unit_test(the_grid),
                                       cmocka_unit_test(a_full_device), cmocka_unit_test(a_dead_device)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
