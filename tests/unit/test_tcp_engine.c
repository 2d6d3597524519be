// Single rules of the TCP engine, over the simulated wire.
// SPDX-License-Identifier: MIT
// @sources net/tcp/engine/acknowledge.c net/tcp/engine/congestion.c net/tcp/engine/connection.c
// @sources net/tcp/engine/cookie.c net/tcp/engine/cubic.c net/tcp/engine/input.c net/tcp/engine/listen.c
// @sources net/tcp/engine/option.c net/tcp/engine/output.c net/tcp/engine/pace.c net/tcp/engine/rack.c
// @sources net/tcp/engine/reassembly.c net/tcp/engine/receive.c net/tcp/engine/recovery.c
// @sources net/tcp/engine/room.c net/tcp/engine/scoreboard.c net/tcp/engine/segment.c
// @sources net/tcp/engine/shard.c net/tcp/engine/synchronize.c net/tcp/engine/time_wait.c
// @sources net/tcp/engine/timers.c net/tcp/engine/wheel.c net/tcp/engine/write.c
// @sources net/tcp/engine/predict.c net/tcp/siphash.c tests/unit/tcp_engine/world.c tests/unit/tcp_engine/judge.c
#include "tcp_engine/judge.h"
#include "tcp_engine/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RTT = 50000, SECOND = 1000000 };

static struct world world;
static struct pair pair;

// Machine 1 sends as much; `open`: its end does not follow.
static void begin(uint32_t size, bool open)
{
    memset(&world.limits, 0, sizeof world.limits);
    memset(&pair, 0, sizeof pair);
    world_start(&world, 1);
    world_links(&world, RTT);
    pair.flows[1] = (struct flow){.seed = 3, .size = size};
    world_connect(&world, &pair);
    pair.flows[0].close_when_written = false;
    pair.flows[1].close_when_written = !open;
}

static unsigned number_lost, times_lost;

static bool lose_number(struct link *link, const uint8_t *bytes, size_t size, unsigned number)
{
    (void)link, (void)bytes, (void)size;
    if (!number || number != number_lost || !times_lost) // 0: no data
        return true;
    times_lost--;
    return false;
}

// How long 15 KB take of which one segment is lost.
static unsigned one_lost(unsigned number)
{
    begin(15 << 10, true);
    number_lost = number;
    times_lost = 1;
    world.machines[1].out.filter = lose_number;
    while (pair.flows[1].received < 15 << 10 && world.now < 20 * SECOND)
        world_run(&world, world.now + 1000);
    unsigned ms = (unsigned)((world.now - pair.flows[1].began) / 1000);
    assert_int_equal(times_lost, number ? 0 : 1);
    world_judge(&world, &pair);
    world_stop(&world);
    return ms;
}

// Eleven segments; without a loss two round trips and the acknowledgement that opens the window for the last.
static void lost_segments_come_again_soon(void **state)
{
    (void)state;
    unsigned whole = one_lost(0);
    assert_in_range(whole, 100, 160);
    assert_in_range(one_lost(1), whole, whole + 60); // by SACK, in a round trip
    assert_in_range(one_lost(5), whole, whole + 60);
    assert_in_range(one_lost(11), whole, whole + 2 * 50 + 200 + 60); // by a tail probe, not by a time-out
}

static struct bm_tcp_segment last_seen;
static unsigned seen_count;

static void see(struct world *of, int from, const uint8_t *bytes, size_t size)
{
    (void)of;
    if (from != 1)
        return;
    struct bm_tcp_packet packet = {.bytes = bytes, .size = size};
    assert_true(bm_tcp_parse(&packet, &last_seen));
    last_seen.data = NULL;
    seen_count++;
}

// What machine 1 answers to a segment with these numbers, relative to what it expects.
static unsigned answers_in_a_row(int32_t sequence, int32_t acknowledgement, uint8_t flags, uint32_t length)
{
    struct bm_tcp_connection *c = pair.ends[1];
    uint8_t bytes[2048] = {0};
    bm_tcp_put16(bm_tcp_put16(bytes, pair.tuple.local_port), SERVER_PORT);
    bm_tcp_put32(bytes + 4, c->receive_next + (uint32_t)sequence);
    bm_tcp_put32(bytes + 8, c->next + (uint32_t)acknowledgement);
    bytes[12] = 8 << 4;
    bytes[13] = flags;
    bm_tcp_put16(bytes + 14, 1000);
    bm_tcp_put32(bytes + 20, 0x0101080a);
    bm_tcp_put32(bytes + 24, c->their_time);
    seen_count = 0;
    world_segment(&world, 1, bytes, 32 + length);
    return seen_count;
}

// The same long after the last answer.
static unsigned answers_to(int32_t sequence, int32_t acknowledgement, uint8_t flags, uint32_t length)
{
    pair.ends[1]->challenged_ms = 0;
    return answers_in_a_row(sequence, acknowledgement, flags, length);
}

static void established(void)
{
    begin(0, true);
    world_run(&world, world.now + 2 * RTT);
    assert_non_null(pair.ends[1]);
    world.seen = see;
}

// RFC 5961.
static void strangers_change_nothing(void **state)
{
    (void)state;
    established();
    assert_int_equal(answers_to(1, 0, TCP_RST, 0), 1); // within the window: challenged
    assert_int_equal(last_seen.flags & TCP_RST, 0);
    assert_int_equal(answers_to(1 << 20, 0, TCP_RST, 0), 0); // outside: dropped
    assert_int_equal(answers_to(0, 0, TCP_SYN, 0), 1);
    assert_int_equal(answers_to(0, 1, TCP_ACK, 10),
                     1); // of what was never sent: answered, its data not taken
    assert_int_equal(answers_to(0, -1000000, TCP_ACK, 10), 1);
    assert_int_equal(answers_to(0, 0, 0, 10), 0); // no ACK
    assert_int_equal(pair.flows[0].received, 0);
    assert_non_null(pair.ends[1]);
    assert_int_equal(answers_to(0, 0, TCP_RST, 0), 0); // at the very number
    assert_true(pair.flows[1].ended);
    assert_int_equal(pair.flows[1].why, BM_TCP_RESET);
    world_stop(&world);
}

static void answers_are_few(void **state)
{
    (void)state;
    established();
    unsigned answers = 0;
    for (unsigned i = 0; i < 100; i++)
        answers += answers_in_a_row(1, 0, TCP_RST, 0);
    assert_int_equal(answers, 1); // of the connection, in half a second
    for (unsigned i = 0; i < 5000; i++)
        answers += answers_to(1, 0, TCP_RST, 0);
    assert_in_range(answers, 500, 1500); // of the shard, in a second
    world_stop(&world);
}

// RFC 2018: the latest range first; RFC 2883: a duplicate before it.
static void selective_acknowledgements(void **state)
{
    (void)state;
    established();
    pair.flows[0].size = 1000;
    assert_int_equal(answers_to(10, 0, TCP_ACK, 5), 1);
    uint32_t base = pair.ends[1]->receive_next;
    assert_int_equal(last_seen.sack_count, 1);
    assert_int_equal(last_seen.sack[0].begin - base, 10);
    assert_int_equal(answers_to(30, 0, TCP_ACK, 5), 1);
    assert_int_equal(last_seen.sack_count, 2);
    assert_int_equal(last_seen.sack[0].begin - base, 30);
    assert_int_equal(last_seen.sack[1].end - base, 15);
    assert_int_equal(answers_to(15, 0, TCP_ACK, 15), 1); // closes the space between
    assert_int_equal(last_seen.sack_count, 1);
    assert_int_equal(last_seen.sack[0].begin - base, 10);
    assert_int_equal(last_seen.sack[0].end - base, 35);
    assert_int_equal(answers_to(12, 0, TCP_ACK, 3), 1);
    assert_int_equal(last_seen.sack[0].begin - base, 12);
    assert_int_equal(last_seen.sack[0].end - base, 15);
    world_judge(&world, &pair);
    world_stop(&world);
}

// RFC 9293 3.5, MUST-10.
static void both_open_at_once(void **state)
{
    (void)state;
    memset(&world.limits, 0, sizeof world.limits);
    memset(&pair, 0, sizeof pair);
    world_start(&world, 1);
    world_links(&world, RTT);
    world_connect(&world, &pair);
    struct bm_tcp_tuple other = {.local_port = SERVER_PORT, .remote_port = pair.tuple.local_port};
    memcpy(other.local, pair.tuple.remote, 16);
    memcpy(other.remote, pair.tuple.local, 16);
    pair.ends[1] = bm_tcp_connect(world.machines[1].shard, &other, 1460, pair.ends[0]->events, &pair);
    pair.flows[0] = (struct flow){.seed = 1, .size = 30000, .close_when_written = true};
    pair.flows[1] = (struct flow){.seed = 2, .size = 20000, .close_when_written = true};
    assert_true(world_run(&world, world.now + 60 * (uint64_t)SECOND));
    assert_int_equal(pair.flows[0].received, 30000);
    assert_int_equal(pair.flows[1].received, 20000);
    assert_false(pair.flows[0].wrong || pair.flows[1].wrong);
    world_stop(&world);
}

// A full cache of handshakes does not keep anybody out.
static void cookies(void **state)
{
    (void)state;
    begin(5000, false);
    world.machines[1].shard->limits.half_open_max = 0;
    pair.flows[0].close_when_written = true;
    assert_true(world_run(&world, world.now + 60 * (uint64_t)SECOND));
    assert_int_equal(pair.flows[1].received, 5000);
    assert_int_equal(bm_tcp_shard_counters(world.machines[1].shard)->cookies_taken, 1);
    world_stop(&world);
}

static bool full;

static bool has_room(struct bm_tcp_listener *listener)
{
    (void)listener;
    return !full;
}

// A server that speaks first, whose backlog is full at first: its SYN comes again.
static void full_backlogs_open_later(void **state)
{
    (void)state;
    begin(5000, false);
    world.machines[1].listener.room = has_room;
    full = true;
    world_run(&world, world.now + SECOND / 2);
    assert_null(pair.ends[1]);
    assert_false(pair.flows[0].connected);
    full = false;
    world_run(&world, world.now + 10 * (uint64_t)SECOND);
    assert_int_equal(pair.flows[1].received, 5000);
    world_stop(&world);
}

// The same of one that has a cookie: what it says comes again. It stays in one segment, since a second one
// shows no cookie.
static void full_backlogs_refuse_no_cookie(void **state)
{
    (void)state;
    begin(0, false);
    pair.flows[0].size = 1000;
    world.machines[1].shard->limits.half_open_max = 0;
    world.machines[1].listener.room = has_room;
    world_run(&world, world.now + RTT * 3 / 4);
    full = true; // since the answer to its SYN
    world_run(&world, world.now + SECOND / 2);
    assert_true(pair.flows[0].connected);
    assert_false(pair.flows[0].ended);
    full = false;
    world_run(&world, world.now + 60 * (uint64_t)SECOND);
    assert_int_equal(pair.flows[0].received, 1000);
    assert_int_equal(bm_tcp_shard_counters(world.machines[1].shard)->cookies_taken, 1);
    world_stop(&world);
}

// TCP_DEFER_ACCEPT, with a half-open connection in memory, and with a cookie.
static void deferred_ones_come_with_data(void **state)
{
    (void)state;
    for (uint32_t memory = 0; memory < 2; memory++) {
        begin(0, true);
        world.machines[1].shard->limits.half_open_max = memory;
        world.machines[1].listener.deferred = true;
        world_run(&world, world.now + SECOND / 2);
        assert_true(pair.flows[0].connected);
        assert_null(pair.ends[1]);
        uint8_t byte = stream_byte(0, 0);
        pair.flows[0].size = pair.flows[0].written = 1;
        assert_int_equal(bm_tcp_write(pair.ends[0], &byte, 1, false), 1);
        world_run(&world, world.now + SECOND / 2);
        assert_non_null(pair.ends[1]);
        assert_int_equal(pair.flows[0].received, 1);
        world_stop(&world);
    }
}

static bool lose_all(struct link *link, const uint8_t *bytes, size_t size, unsigned number)
{
    (void)link, (void)bytes, (void)size, (void)number;
    return false;
}

static void nobody_answers(void **state)
{
    (void)state;
    established();
    bm_tcp_set_keepalive(pair.ends[1], 10, 5, 3);
    world_run(&world, world.now + 60 * (uint64_t)SECOND);
    assert_non_null(pair.ends[1]); // the peer has answered
    world.machines[1].out.filter = lose_all;
    world_run(&world, world.now + 40 * (uint64_t)SECOND);
    assert_true(pair.flows[1].ended);
    assert_int_equal(pair.flows[1].why, BM_TCP_TIMED_OUT);
    world_stop(&world);
}

static void user_timeout(void **state)
{
    (void)state;
    established();
    bm_tcp_set_user_timeout(pair.ends[1], 3000);
    world.machines[1].out.filter = lose_all;
    bm_tcp_write(pair.ends[1], "x", 1, false);
    world_run(&world, world.now + 2 * (uint64_t)SECOND);
    assert_false(pair.flows[1].ended);
    world_run(&world, world.now + 10 * (uint64_t)SECOND);
    assert_true(pair.flows[1].ended);
    world_stop(&world);
}

static void idle_ones_are_small(void **state)
{
    (void)state;
    established();
    size_t empty = world.machines[1].shard->bucket_count * sizeof(void *);
    assert_in_range(bm_tcp_shard_memory(world.machines[1].shard) - empty, 1, 1228);
    world_stop(&world);
}

// Each timer fires at its millisecond, whatever its distance.
static void wheel(void **state)
{
    enum { COUNT = 2000 };
    static struct bm_tcp_timer timers[COUNT];
    static struct bm_tcp_wheel w;
    uint32_t now = 0xfffff000, due = 0, left = COUNT;
    (void)state;
    bm_tcp_wheel_start(&w, now);
    memset(timers, 0, sizeof timers);
    for (uint32_t i = 0; i < COUNT; i++)
        bm_tcp_wheel_set(&w, &timers[i], now + 1 + (i * 2654435761u >> (8 + i % 24)));
    while (left) {
        assert_true(bm_tcp_wheel_due(&w, &due));
        for (struct bm_tcp_timer *timer; (timer = bm_tcp_wheel_next(&w, due)); left--)
            assert_int_equal(timer->due, due);
    }
    assert_false(bm_tcp_wheel_due(&w, &due));
}

static void cube_roots(void **state)
{
    (void)state;
    for (uint64_t root = 0; root < 1u << 21; root = root * 2 + 1) {
        assert_int_equal(bm_tcp_cube_root(root * root * root), root);
        assert_int_equal(bm_tcp_cube_root(root * root * root + 3 * root), root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lost_segments_come_again_soon),
                                       cmocka_unit_test(strangers_change_nothing),
                                       cmocka_unit_test(answers_are_few),
                                       cmocka_unit_test(selective_acknowledgements),
                                       cmocka_unit_test(both_open_at_once),
                                       cmocka_unit_test(cookies),
                                       cmocka_unit_test(full_backlogs_open_later),
                                       cmocka_unit_test(full_backlogs_refuse_no_cookie),
                                       cmocka_unit_test(deferred_ones_come_with_data),
                                       cmocka_unit_test(nobody_answers),
                                       cmocka_unit_test(user_timeout),
                                       cmocka_unit_test(idle_ones_are_small),
                                       cmocka_unit_test(wheel),
                                       cmocka_unit_test(cube_roots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
