// Hostile segments for the TCP engine, near a live connection's numbers; a program acts between.
// SPDX-License-Identifier: MIT
// @sources net/tcp/engine/acknowledge.c net/tcp/engine/congestion.c net/tcp/engine/connection.c
// @sources net/tcp/engine/cookie.c net/tcp/engine/cubic.c net/tcp/engine/input.c net/tcp/engine/listen.c
// @sources net/tcp/engine/option.c net/tcp/engine/output.c net/tcp/engine/pace.c net/tcp/engine/rack.c
// @sources net/tcp/engine/reassembly.c net/tcp/engine/receive.c net/tcp/engine/recovery.c
// @sources net/tcp/engine/room.c net/tcp/engine/scoreboard.c net/tcp/engine/segment.c
// @sources net/tcp/engine/shard.c net/tcp/engine/synchronize.c net/tcp/engine/time_wait.c
// @sources net/tcp/engine/timers.c net/tcp/engine/wheel.c net/tcp/engine/write.c
// @sources net/tcp/engine/predict.c net/tcp/siphash.c tests/unit/tcp_engine/world.c tests/unit/tcp_engine/judge.c
// @max_len 1024
#include "../unit/tcp_engine/judge.h"
#include "../unit/tcp_engine/world.h"

#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *bytes;
    size_t left;
};

static uint32_t take(struct input *input, unsigned count)
{
    uint32_t value = 0;
    while (count-- && input->left) {
        value = value << 8 | *input->bytes++;
        input->left--;
    }
    return value;
}

// A number near one that counts, or any.
static uint32_t near(struct input *input, uint32_t number)
{
    uint32_t how = take(input, 1);
    if (how < 160)
        return number + (uint32_t)(int32_t)(int8_t)take(input, 1) * (how % 4 == 3 ? 1460 : how % 4);
    return how < 240 ? number + take(input, 2) - 32768 : take(input, 4);
}

static uint8_t *options(struct input *input, uint8_t *to, const struct bm_tcp_connection *c, uint32_t now_ms)
{
    unsigned kinds = take(input, 1);
    if (kinds & 1) {
        to = bm_tcp_put32(to, 0x0101080a);
        to = bm_tcp_put32(to, near(input, c ? c->their_time : now_ms));
        to = bm_tcp_put32(to, near(input, c ? now_ms + c->time_offset : 0));
    }
    if (kinds & 2) {
        unsigned blocks = 1 + kinds / 4 % 3;
        to = bm_tcp_put32(to, 0x01010502 + 8 * blocks);
        for (unsigned i = 0; i < 2 * blocks; i++)
            to = bm_tcp_put32(to, near(input, c ? i % 2 ? c->next : c->una : 0));
    } else if (kinds & 16) {
        for (unsigned i = 0; i < 12; i++)
            *to++ = (uint8_t)take(input, 1);
    }
    return to;
}

// To machine 1, as if from machine 0.
static void segment(struct world *world, struct pair *pair, struct input *input)
{
    struct bm_tcp_connection *c = pair->ends[1];
    uint8_t bytes[2048] = {0};
    unsigned port = take(input, 1) % 16 ? pair->tuple.local_port : take(input, 2);
    bm_tcp_put16(bm_tcp_put16(bytes, (uint16_t)port), SERVER_PORT);
    bm_tcp_put32(bytes + 4, near(input, c ? c->receive_next : 0));
    bm_tcp_put32(bytes + 8, near(input, c ? c->next : 0));
    bytes[13] = take(input, 1) % 4 ? TCP_ACK : (uint8_t)take(input, 1);
    bm_tcp_put16(bytes + 14, (uint16_t)take(input, 2));
    uint8_t *end = options(input, bytes + 20, c, (uint32_t)(world->now / 1000));
    size_t header = (size_t)(end - bytes), length = take(input, 1) * (size_t)(take(input, 1) % 6);
    bytes[12] = (uint8_t)(header / 4 << 4);
    if (take(input, 1) % 32 == 0)
        bytes[12] = (uint8_t)take(input, 1);
    world_segment(world, 1, bytes, header + length);
}

static void act(struct world *world, struct pair *pair, unsigned what, struct input *input)
{
    static const uint8_t data[8000];
    struct bm_tcp_connection *c = pair->ends[1];
    if (what == 0)
        world_run(world, world->now + 1000 * (uint64_t)take(input, 2));
    else if (!c)
        return;
    else if (what == 1)
        bm_tcp_write(c, data, take(input, 2) % sizeof data, take(input, 1) % 4 == 0);
    else if (what == 2)
        bm_tcp_set_mss(c, (uint16_t)take(input, 2));
    else if (what == 3)
        bm_tcp_set_keepalive(c, take(input, 1), take(input, 1), take(input, 1));
    else if (what == 4 && take(input, 1) % 4 == 0)
        bm_tcp_shutdown(c);
    else if (what == 5 && take(input, 1) % 16 == 0) {
        pair->ends[1] = NULL;
        bm_tcp_close(c);
    } else if (what == 6)
        bm_tcp_set_buffers(c, take(input, 3), take(input, 3));
    else if (what == 7)
        bm_tcp_set_congestion(c, take(input, 1) % 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct world world = {0};
    struct pair pair = {0};
    unsigned options_of_world = take(&input, 1);
    world.limits[1] = (struct bm_tcp_limits){.no_sack = options_of_world & 1,
                                             .no_timestamps = options_of_world & 2,
                                             .no_window_scale = options_of_world & 4,
                                             .half_open_max = 8,
                                             .time_wait_max = 4,
                                             .memory = 1 << 20};
    world_start(&world, 1);
    world.machines[1].fail_one_in = options_of_world & 8 ? 20 : 0;
    if (options_of_world & 16)
        world.machines[1].device = (struct device){.kbit = 1000, .frames = 20, .full_at = 4};
    pair.flows[1] = (struct flow){.size = options_of_world * 400u};
    world_connect(&world, &pair);
    pair.flows[0].close_when_written = pair.flows[1].close_when_written = false;
    world_run(&world, world.now + 1500);
    while (input.left) {
        unsigned what = take(&input, 1);
        if (what % 4)
            segment(&world, &pair, &input);
        else
            act(&world, &pair, what / 4 % 8, &input);
        world_judge(&world, &pair);
    }
    world_stop(&world);
    return 0;
}
