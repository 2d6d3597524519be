// What the TCP engine and its surroundings tell each other, over the simulated wire.
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

enum { RTT = 50000 };

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

static void established(void)
{
    begin(0, true);
    world_run(&world, world.now + 2 * RTT);
    assert_non_null(pair.ends[1]);
}

// Whose frame it is: of a handshake its listener's, then its connection's, then nobody's.
static void frames_say_whose_they_are(void **state)
{
    (void)state;
    begin(0, true);
    assert_ptr_equal(world.machines[0].sent_connection, pair.ends[0]);
    world_run(&world, world.now + RTT * 3 / 4);
    assert_null(world.machines[1].sent_connection);
    assert_ptr_equal(world.machines[1].sent_listener, &world.machines[1].listener);
    world_run(&world, world.now + 2 * RTT);
    bm_tcp_write(pair.ends[1], "x", 1, false);
    assert_ptr_equal(world.machines[1].sent_connection, pair.ends[1]);
    assert_null(world.machines[1].sent_listener);
    world_stop(&world);
}

// A machine of several interfaces, whose listener and connection have one.
static void interfaces_are_kept_apart(void **state)
{
    (void)state;
    begin(0, true);
    world.machines[1].listener.interface = 2;
    world.machines[1].interface = 1;
    world_run(&world, world.now + 2 * RTT);
    assert_true(pair.flows[0].ended);
    assert_int_equal(pair.flows[0].why, BM_TCP_REFUSED);
    world_stop(&world);

    begin(0, true);
    world.machines[1].listener.interface = world.machines[1].interface = 2;
    world_run(&world, world.now + 2 * RTT);
    assert_non_null(pair.ends[1]);
    world.machines[1].interface = 1;
    bm_tcp_write(pair.ends[0], "x", 1, false);
    world_run(&world, world.now + RTT);
    assert_int_equal(pair.flows[0].received, 0);
    world_stop(&world);
}

static bool nobody(struct bm_tcp_listener *listener, struct bm_tcp_connection *c)
{
    (void)listener, (void)c;
    return false;
}

// One for any address of one family stands beside one for the other, and behind one for the very address.
static void listeners_by_family(void **state)
{
    (void)state;
    begin(0, true);
    struct bm_tcp_shard *shard = world.machines[1].shard;
    struct bm_tcp_listener other = {.port = SERVER_PORT, .family = 6, .accept = nobody}, same = other,
                           very = other;
    bm_tcp_unlisten(shard, &world.machines[1].listener);
    world.machines[1].listener.family = 4;
    assert_int_equal(bm_tcp_listen(shard, &world.machines[1].listener), 0);
    assert_int_equal(bm_tcp_listen(shard, &other), 0);
    assert_int_equal(bm_tcp_listen(shard, &same), -1);
    memcpy(very.local, pair.tuple.remote, 16);
    very.family = 0;
    assert_ptr_equal(bm_tcp_listener_find(shard, &(struct bm_tcp_tuple){.local_port = SERVER_PORT}, 0),
                     &other);
    world_run(&world, world.now + 2 * RTT);
    assert_non_null(pair.ends[1]);
    assert_int_equal(bm_tcp_listen(shard, &very), 0);
    assert_ptr_equal(bm_tcp_listener_find(shard, bm_tcp_tuple(pair.ends[1]), 0), &very);
    world_stop(&world);
}

// The listener's side says what its way has room for.
static void narrow_ways(void **state)
{
    (void)state;
    begin(20000, false);
    world.way_mss = 1000;
    pair.flows[0].close_when_written = true;
    world_run(&world, world.now + 2 * RTT);
    assert_int_equal(pair.ends[1]->mss, 1000 - 12);
    assert_int_equal(pair.ends[0]->mss, 1000 - 12);
    world_stop(&world);
}

static void ports_that_are_used(void **state)
{
    static const uint8_t any[16];
    (void)state;
    established();
    struct bm_tcp_shard *shard = world.machines[0].shard;
    uint16_t port = pair.tuple.local_port;
    assert_true(bm_tcp_port_used(shard, any, port, false));
    assert_true(bm_tcp_port_used(shard, pair.tuple.local, port, false));
    assert_false(bm_tcp_port_used(shard, pair.tuple.remote, port, true));
    assert_false(bm_tcp_port_used(shard, any, (uint16_t)(port + 1), true));
    assert_false(bm_tcp_ends_free(shard, &pair.tuple));
    assert_int_equal(bm_tcp_shard_unfinished(shard), 0);
    bm_tcp_write(pair.ends[0], "x", 1, false);
    assert_int_equal(bm_tcp_shard_unfinished(shard), 1);
    world_run(&world, world.now + 2 * RTT);
    bm_tcp_shutdown(pair.ends[0]);
    assert_int_equal(bm_tcp_shard_unfinished(shard), 1);
    world_run(&world, world.now + 2 * RTT);
    assert_int_equal(bm_tcp_shard_unfinished(shard), 0);
    bm_tcp_shutdown(pair.ends[1]);
    world_run(&world, world.now + 2 * RTT);
    assert_false(bm_tcp_port_used(shard, any, port, false)); // in TIME-WAIT
    assert_true(bm_tcp_port_used(shard, any, port, true));
    assert_false(bm_tcp_ends_free(shard, &pair.tuple));
    world_stop(&world);
}

static unsigned state_at_the_end;

static void close_at_once(struct bm_tcp_connection *c)
{
    bm_tcp_close(c);
    state_at_the_end = c->state;
}

// A program that closes as soon as it hears of the peer's end: it is the peer that waits.
static void closed_at_the_end(void **state)
{
    static const struct bm_tcp_events events = {.finished = close_at_once};
    (void)state;
    established();
    bm_tcp_set_events(pair.ends[1], &events, &pair);
    bm_tcp_shutdown(pair.ends[0]);
    world_run(&world, world.now + RTT * 3 / 4);
    assert_int_equal(state_at_the_end, BM_TCP_LAST_ACK);
    world_stop(&world);
}

// In the very first second of a machine strangers are answered, too.
static void the_first_second(void **state)
{
    (void)state;
    established();
    uint8_t bytes[20] = {0x80, 1, 0, 81, [12] = 5 << 4, [13] = TCP_SYN};
    struct bm_tcp_shard *shard = world.machines[1].shard;
    const struct bm_tcp_operations *operations = shard->operations;
    bm_tcp_shard_stop(shard);
    world.now = 1000;
    assert_true(bm_tcp_shard_start(shard, operations, &world.machines[1], NULL));
    world_segment(&world, 1, bytes, sizeof bytes);
    assert_int_equal(bm_tcp_shard_counters(shard)->resets_out, 1);
    pair.ends[1] = NULL;
    world_stop(&world);
}

static unsigned answers;

static void count_answers(struct world *of, int from, const uint8_t *bytes, size_t size)
{
    (void)of, (void)bytes, (void)size;
    answers += from == 1;
}

static void answer_at_once(struct bm_tcp_connection *c, const uint8_t *data, size_t length, void *owner)
{
    (void)owner;
    bm_tcp_consumed(c, length);
    bm_tcp_write(c, data, length, false);
}

// What is answered in the event needs no acknowledgement of its own.
static void answers_acknowledge(void **state)
{
    static const struct bm_tcp_events events = {.received = answer_at_once};
    (void)state;
    established();
    bm_tcp_set_events(pair.ends[1], &events, &pair);
    world.seen = count_answers;
    bm_tcp_write(pair.ends[0], "x", 1, false);
    world_run(&world, world.now + RTT * 3 / 4);
    assert_int_equal(answers, 1);
    world_stop(&world);
}

// All or nothing, however little memory there is, and however the pieces lie.
static void whole_writes(void **state)
{
    static uint8_t data[30000];
    (void)state;
    established();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(pair.flows[0].seed, i);
    pair.flows[0].size = sizeof data;
    size_t done = 0, refused = 0;
    while (done < sizeof data) {
        size_t part = sizeof data - done < 7001 ? sizeof data - done : 7001;
        size_t before = bm_tcp_shard_memory(world.machines[0].shard);
        world.machines[0].fail_one_in = 2;
        bool taken = bm_tcp_write_whole(pair.ends[0], data + done, part, true);
        world.machines[0].fail_one_in = 0;
        if (taken) {
            done += part;
        } else {
            refused++;
            assert_int_equal(bm_tcp_shard_memory(world.machines[0].shard), before);
        }
    }
    assert_in_range(refused, 1, 1000);
    assert_false(bm_tcp_write_whole(pair.ends[0], data, 1 << 20, false));
    bm_tcp_push(pair.ends[0]);
    pair.flows[0].written = done;
    world_run(&world, world.now + 100 * RTT);
    assert_int_equal(pair.flows[0].received, sizeof data);
    assert_false(pair.flows[0].wrong);
    world_stop(&world);
}

static size_t unread;

static void leave_unread(struct bm_tcp_connection *c, const uint8_t *data, size_t length, void *owner)
{
    (void)c, (void)data, (void)owner;
    unread += length;
}

// Segments that are no multiple of the window's unit do not move its edge while the program reads nothing.
static void small_pieces_find_an_end(void **state)
{
    static const struct bm_tcp_events events = {.received = leave_unread};
    (void)state;
    established();
    unread = 0;
    bm_tcp_set_events(pair.ends[1], &events, &pair);
    size_t limit = pair.ends[1]->receive_limit;
    bm_tcp_set_nodelay(pair.ends[0], true);
    for (size_t written = 0; written < 2 * limit;) {
        for (unsigned i = 0; i < 8; i++, written += 15)
            bm_tcp_write(pair.ends[0], "fifteen bytes..", 15, false);
        world_run(&world, world.now + 2 * RTT);
    }
    assert_in_range(unread, limit / 2, limit + 1000);
    world_stop(&world);
}

// A program's time-out counts from what is not acknowledged, not from the silence before (RFC 5482).
static void silence_is_no_loss(void **state)
{
    (void)state;
    established();
    bm_tcp_set_user_timeout(pair.ends[0], 30000);
    world_run(&world, world.now + 40000000);
    world.machines[0].out.loss = 1000000;
    bm_tcp_write(pair.ends[0], "x", 1, false);
    world_run(&world, world.now + 2000000);
    assert_false(pair.flows[0].ended);
    world_run(&world, world.now + 60000000);
    assert_true(pair.flows[0].ended);
    assert_int_equal(pair.flows[0].why, BM_TCP_TIMED_OUT);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(frames_say_whose_they_are),
                                       cmocka_unit_test(interfaces_are_kept_apart),
                                       cmocka_unit_test(listeners_by_family),
                                       cmocka_unit_test(narrow_ways),
                                       cmocka_unit_test(ports_that_are_used),
                                       cmocka_unit_test(closed_at_the_end),
                                       cmocka_unit_test(the_first_second),
                                       cmocka_unit_test(answers_acknowledge),
                                       cmocka_unit_test(whole_writes),
                                       cmocka_unit_test(small_pieces_find_an_end),
                                       cmocka_unit_test(silence_is_no_loss)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
