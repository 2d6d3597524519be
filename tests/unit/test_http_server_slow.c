// http_server's connections when clients are slow or many: time-outs, the least rate, shares, making room.
// SPDX-License-Identifier: MIT
//
// @sources tests/unit/http_server/network.c
// @sources examples/http_server/server_raw.c examples/http_server/connection_room.c
// @sources examples/http_server/clients.c
// @sources examples/http_server/http_protocol.c examples/http_server/http_line.c
// @sources examples/http_server/http_fields.c examples/http_server/http_body.c
// @sources examples/http_server/http_response.c examples/http_server/site.c examples/http_server/text.c
// @sources libbaremetal/base/format.c
// @includes examples/http_server tests/unit/fake_lwip tests/unit/http_server
#include "network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The time in which the client is to hang up begins when it has all.
static void test_close_after_slow_answer(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0), *b = join(1);
    say(a, "GET /big HTTP/1.0\r\n\r\n");
    while (!a->ended)
        take(a, 5000); // lwIP has all, but the client has not
    say(b, "GET /small HTTP/1.0\r\n\r\n");
    assert_true(b->ended);
    for (unsigned second = 0; second < 25; second++) {
        pass(1);
        assert_false(is_gone(a) || is_gone(b));
        take(a, RATE);
    }
    take_all(b);
    take_all(a);
    pass(2);
    assert_false(is_gone(a) || is_gone(b));
    pass(2);
    assert_true(a->closed && b->closed);
}

// After its end, too, a client that takes nothing is given up, and lwIP keeps nothing of it.
static void test_close_with_nothing_taken(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0), *b = join(1);
    say(a, "GET /small HTTP/1.0\r\n\r\n");
    say(b, GET("/small"));
    hang_up(b);
    pass(20);
    assert_false(is_gone(a) || is_gone(b));
    pass(15);
    assert_true(a->aborted && b->aborted);
}

static void test_client_that_does_not_hang_up(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    say(a, "\x16\x03\x01");
    assert_int_equal(status_at(a->out), 400);
    assert_true(a->ended && !is_gone(a));
    take_all(a);
    pass(4);
    assert_true(is_gone(a));
}

static void test_time_outs(void **state)
{
    (void)state;
    struct altcp_pcb *idle = join(0), *dribble = join(1), *stuck = join(2);
    const unsigned before = count_of(408);
    say(stuck, GET("/big"));
    for (unsigned second = 0; second < 10; second++) {
        say(dribble, "X"); // does not prolong it
        pass(1);
    }
    assert_int_equal(dribble->length, 0);
    pass(2);
    assert_int_equal(status_at(dribble->out), 408);
    assert_true(dribble->ended);
    assert_int_equal(count_of(408), before + 1);

    pass(17); // 29 by now
    assert_false(is_gone(stuck));
    take(stuck, 5 * RATE); // prolongs it by as many seconds as that is worth
    pass(5);
    assert_false(is_gone(stuck));
    pass(3);
    assert_true(stuck->aborted);
    pass(22); // 59 altogether
    assert_false(is_gone(idle));
    pass(3);
    assert_true(idle->closed);
}

// One byte now and then is not enough; the least rate is, however long it takes.
static void test_least_rate(void **state)
{
    (void)state;
    struct altcp_pcb *slow = join(0), *right = join(1), *small = join(2);
    say(slow, GET("/big"));
    say(right, GET("/big"));
    say(small, GET("/small")); // all of it is lwIP's, and the client's business
    for (unsigned second = 0; second < 200; second++) {
        pass(1);
        if (second % 20 == 0 && !is_gone(slow))
            take(slow, 1);
        take(right, RATE);
        if (second == 25) {
            assert_false(is_gone(slow) || is_gone(small));
        }
        if (second == 35) {
            assert_true(slow->aborted);
            assert_true(small->aborted);
        }
    }
    assert_false(is_gone(right));
    take_all(right);
    assert_true(ends_with_big(right));
    pass(50);
    assert_false(is_gone(right)); // idle now
}

// More requests do not win time.
static void test_least_rate_over_answers(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    say(a, GET("/big"));
    for (unsigned second = 0; second < 40 && !is_gone(a); second++) {
        say(a, GET("/big"));
        take(a, 10);
        pass(1);
    }
    assert_true(a->aborted);
}

static void test_idle_time_begins_with_the_answer(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    pass(50);
    say(a, GET("/small"));
    take_all(a);
    pass(50);
    assert_false(is_gone(a));
    pass(12);
    assert_true(a->closed);
}

static void test_room_is_made(void **state)
{
    (void)state;
    struct altcp_pcb *first = join(0), *second = join(1);
    pass(1);
    struct altcp_pcb *third = join(2);
    say(first, GET("/small")); // so the second is idle for longest
    join(3);
    assert_true(second->closed);
    assert_false(is_gone(first) || is_gone(third));

    say(first, GET("/big"));
    say(third, GET("/big"));
    say(clients[3], "GET /half");
    join(4); // nobody is idle: the half request goes
    assert_true(clients[3]->aborted);
    say(clients[4], GET("/big"));

    const uint64_t refused = server_counters_get()->refused;
    clients[5] = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
    assert_int_equal(arrive(clients[5]), ERR_MEM); // all are busy
    assert_int_equal(server_counters_get()->refused, refused + 1);
    assert_int_equal(server_counters_get()->open, 3);
    take_all(first);
    assert_true(ends_with_big(first));
}

// Three answers, of which one client takes its own at another speed than the others; returns whether that is
// the one that gives way to a fourth client.
static bool gives_way(unsigned slow, unsigned slow_speed, unsigned speed, unsigned seconds)
{
    for (unsigned i = 0; i < 3; i++)
        say(join(i), GET("/big"));
    for (unsigned second = 0; second < seconds; second++) {
        for (unsigned i = 0; i < 3; i++)
            take(clients[i], i == slow ? slow_speed : speed);
        pass(1);
    }
    join(3);
    unsigned gone = 0;
    for (unsigned i = 0; i < 3; i++)
        gone += is_gone(clients[i]);
    const bool right = clients[slow]->aborted && gone == 1;
    for (unsigned i = 0; i < 4; i++) {
        if (!is_gone(clients[i]))
            clients[i]->err(clients[i]->arg, ERR_RST);
        free(clients[i]);
        clients[i] = NULL;
    }
    return right;
}

// Answers give way, too, when they are late, or last for long and are slower than others.
static void test_slowest_gives_way(void **state)
{
    (void)state;
    for (unsigned slow = 0; slow < 3; slow++) {
        assert_true(gives_way(slow, 0, RATE, 4));
        assert_true(gives_way(slow, 2 * RATE, 50 * RATE, 6));
    }
}

// Under contention who has most loses first, whatever the others do.
static void test_share_of_a_client(void **state)
{
    (void)state;
    enum { HOARDER = 1 << 20, LIMIT = 20 };
    unsigned hoarded = 0;
    for (unsigned i = 0; i < LIMIT; i++)
        say(join_from(i, HOARDER), GET("/big")); // nobody else is there: all may be taken
    assert_int_equal(server_counters_get()->open, LIMIT);
    struct altcp_pcb *kept = join(LIMIT);
    say(kept, GET("/small"));
    take_all(kept);
    pass(1);
    for (unsigned i = LIMIT + 1; i < LIMIT + 10; i++) {
        struct altcp_pcb *other = join(i);
        say(other, GET("/small"));
        assert_int_equal(status_at(other->out), 200);
        take_all(other);
    }
    for (unsigned i = 0; i < LIMIT; i++)
        hoarded += !is_gone(clients[i]);
    assert_int_equal(hoarded, LIMIT - 10);
    for (unsigned i = LIMIT + 10; i < LIMIT + 15; i++) {
        clients[i] = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
        clients[i]->address.addr[0] = HOARDER;
        clients[i]->closed = arrive(clients[i]) != ERR_OK; // it pays for its own, or is refused
    }
    assert_false(is_gone(kept));
    for (unsigned i = LIMIT + 1; i < LIMIT + 10; i++)
        assert_false(is_gone(clients[i]));
}

// A client by IPv6 has a network's worth of addresses.
static void test_share_of_a_network(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        clients[i] = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
        const bool other = i >= 17;
        clients[i]->address = (ip_addr_t){.addr = {0x20010db8, other ? i : 99, i, i}, .is_ip6 = true};
        assert_int_equal(arrive(clients[i]), ERR_OK);
    }
    pass(5);
    for (unsigned i = 20; i < 23; i++)
        join(i);
    for (unsigned i = 17; i < 23; i++)
        assert_false(is_gone(clients[i]));
}

static void test_share_of_memory(void **state)
{
    (void)state;
    assert_int_equal(start_with(3, 1000), ERR_OK);
    struct altcp_pcb *a = join(0);
    say(a, GET("/small") GET("/small") GET("/small"));
    assert_in_range(a->length, 1, 500); // one copy at a time
    take_all(a);
    const size_t small = a->length;
    say(a, GET("/big"));
    assert_in_range(a->length - small, 3 * TCP_MSS, 4 * TCP_MSS);
    take_all(a);
    assert_true(ends_with_big(a));
}

// Small segments cost as much as large ones.
static void test_share_in_small_segments(void **state)
{
    (void)state;
    assert_int_equal(start_with(3, 64 << 10), ERR_OK);
    size_t taken[3];
    for (unsigned i = 0; i < 3; i++) {
        struct altcp_pcb *a = join(i);
        a->mss = i == 0 ? 64 : TCP_MSS;
        a->snd_wnd_max = i == 1 ? 1 : 65535;
        say(a, GET("/big"));
        taken[i] = a->length;
    }
    assert_in_range(taken[0], 64, 32768 / 256 * 64 + 400);
    assert_in_range(taken[1], 64, 21845 / 256 * 64 + 400);
    assert_in_range(taken[2], TCP_SND_BUF - 400, TCP_SND_BUF);
}

int main(void)
{
    if (!site_make())
        return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_close_after_slow_answer),
        TEST(test_close_with_nothing_taken),
        TEST(test_client_that_does_not_hang_up),
        TEST(test_time_outs),
        TEST(test_least_rate),
        TEST(test_least_rate_over_answers),
        TEST(test_idle_time_begins_with_the_answer),
        TEST(test_room_is_made),
        TEST(test_slowest_gives_way),
        cmocka_unit_test_setup_teardown(test_share_of_a_client, start_many, stop),
        cmocka_unit_test_setup_teardown(test_share_of_a_network, start_many, stop),
        TEST(test_share_of_memory),
        TEST(test_share_in_small_segments),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    site_free(&site);
    return failed;
}
