// Header prediction changes nothing: the same worlds with it and without it see the same frames.
// SPDX-License-Identifier: MIT
// @sources net/tcp/engine/acknowledge.c net/tcp/engine/congestion.c net/tcp/engine/connection.c
// @sources net/tcp/engine/cookie.c net/tcp/engine/cubic.c net/tcp/engine/input.c
// @sources net/tcp/engine/listen.c net/tcp/engine/option.c net/tcp/engine/output.c
// @sources net/tcp/engine/rack.c net/tcp/engine/reassembly.c net/tcp/engine/receive.c
// @sources net/tcp/engine/recovery.c net/tcp/engine/scoreboard.c net/tcp/engine/segment.c
// @sources net/tcp/engine/shard.c net/tcp/engine/synchronize.c net/tcp/engine/time_wait.c
// @sources net/tcp/engine/timers.c net/tcp/engine/wheel.c net/tcp/engine/write.c
// @sources net/tcp/engine/pace.c net/tcp/engine/room.c net/tcp/engine/predict.c
// @sources net/tcp/siphash.c tests/unit/tcp_engine/world.c tests/unit/tcp_engine/judge.c
#include "tcp_engine/judge.h"
#include "tcp_engine/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static uint64_t all; // of the frames that went out, their bytes and times
static unsigned frames;

static void mix(uint64_t value)
{
    all = (all ^ value) * 0x9e3779b97f4a7c15;
    all ^= all >> 29;
}

static void seen(struct world *world, int from, const uint8_t *bytes, size_t size)
{
    mix(world->now);
    mix((uint64_t)from << 32 | size);
    for (size_t i = 0; i < size; i++)
        mix(bytes[i]);
    frames++;
}

// Requests and answers of a size each way, over a wire that is mostly good.
static void random_world(struct world *world, uint64_t seed, bool plain)
{
    world->random = seed * 77 + 5;
    for (int i = 0; i < 2; i++) {
        world->limits[i].no_sack = world_random(world) % 4 == 0;
        world->limits[i].no_timestamps = world_random(world) % 2;
        world->limits[i].ecn = world_random(world) % 2;
    }
    world_start(world, seed);
    world->seen = seen;
    for (int i = 0; i < 2; i++) {
        uint32_t r = world_random(world);
        world->machines[i].plain = plain;
        world->machines[i].out = (struct link){.delay_us = world_random(world) % 50000,
                                               .loss = r % 2 ? world_random(world) % 20000 : 0,
                                               .reorder = r / 3 % 3 ? 0 : world_random(world) % 20000,
                                               .reorder_us = world_random(world) % 20000,
                                               .duplicate = r / 9 % 3 ? 0 : world_random(world) % 20000,
                                               .kbit = r / 81 % 3 ? 0 : 1000 + world_random(world) % 20000,
                                               .queue = 20000 + world_random(world) % 100000,
                                               .marks = true};
    }
}

static bool all_received(const struct pair *pair)
{
    return pair->flows[0].received == pair->flows[0].size && pair->flows[1].received == pair->flows[1].size;
}

static unsigned once(uint64_t seed, bool plain)
{
    struct world world = {0};
    struct pair pair = {0};
    random_world(&world, seed, plain);
    all = frames = 0;
    for (int i = 0; i < 2; i++) {
        pair.flows[i] = (struct flow){.seed = world_random(&world),
                                      .size = world_random(&world) % (1 << world_random(&world) % 19),
                                      .chunk = 1 + world_random(&world) % 9000};
        if (world_random(&world) % 4 == 0)
            pair.flows[i].pause_each = 20000, pair.flows[i].pause_us = 700000;
    }
    world_connect(&world, &pair);
    pair.flows[0].close_when_written = pair.flows[1].close_when_written = false;
    for (unsigned i = 0; i < 7200 && !all_received(&pair); i++)
        world_run(&world, world.now + SECOND);
    for (int i = 0; i < 2; i++)
        if (pair.ends[i])
            bm_tcp_shutdown(pair.ends[i]);
    assert_true(world_run(&world, world.now + 7200ull * SECOND));
    for (int i = 0; i < 2; i++) {
        assert_false(pair.flows[i].wrong);
        mix(pair.flows[i].received);
    }
    unsigned predicted = world.machines[0].predicted + world.machines[1].predicted;
    world_stop(&world);
    return predicted;
}

static void nothing_changes(void **state)
{
    enum { WORLDS = 300 };
    unsigned predicted = 0, count = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        assert_int_equal(once(seed, true), 0);
        uint64_t without = all;
        count += frames;
        predicted += once(seed, false);
        if (all != without)
            fail_msg("seed %lu: other frames where headers are predicted", (unsigned long)seed);
    }
    print_message("%u of %u segments were predicted\n", predicted, count);
    assert_true(predicted > count / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
