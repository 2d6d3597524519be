// http_server's connections: back-pressure, pipelining, ends; the test plays the network.
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

static void test_answer(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    assert_int_equal(say(a, "GET /small HT"), ERR_OK);
    assert_int_equal(a->length, 0);
    assert_int_equal(say(a, "TP/1.1\r\nHost: x\r\n\r\n"), ERR_OK);
    assert_int_equal(status_at(a->out), 200);
    assert_string_equal(a->out + a->length - 9, "\r\n\r\nsmall");
    assert_int_equal(a->recved, strlen(GET("/small")));
    assert_false(is_gone(a) || a->ended);
    take_all(a);
    const size_t first = a->length;
    say(a, GET("/none"));
    assert_int_equal(status_at(a->out + first), 404);
}

static void test_back_pressure(void **state)
{
    (void)state;
    struct altcp_pcb *slow = join(0), *other = join(1);
    say(slow, GET("/big"));
    assert_true(slow->length <= TCP_SND_BUF);
    say(other, GET("/small"));
    assert_int_equal(status_at(other->out), 200);
    slow->largest = 3000; // lwIP's queue of segments is nearly full
    take_all(slow);
    assert_true(ends_with_big(slow));
    assert_false(is_gone(slow));
}

static void test_no_memory_for_a_while(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    a->largest = 0;
    say(a, GET("/small"));
    assert_int_equal(a->length, 0);
    pass(1);
    a->largest = UINT16_MAX;
    pass(1); // nothing is on its way that could bring us back: the sweep does
    assert_int_equal(status_at(a->out), 200);
}

static void test_pipelining(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    say(a, GET("/big") GET("/small") GET("/none") "GET / HTT");
    assert_int_equal(say(a, "P/1.1\r\nHost: x\r\n\r\n"), ERR_OK);
    assert_int_equal(count_of(404), 1); // one of the first test
    take_all(a);
    assert_int_equal(count_of(404), 3);
    assert_int_equal(a->recved, strlen(GET("/big") GET("/small") GET("/none") GET("/")));
}

static void test_input_is_bounded(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    say(a, GET("/big") GET("/big"));
    unsigned taken = 0;
    while (say(a, GET("/small")) == ERR_OK)
        assert_true(++taken < 1000);
    assert_in_range(taken * strlen(GET("/small")), 15000, 16384);
    assert_int_equal(say(a, GET("/small")), ERR_MEM);
    assert_int_equal(device_buffers, 0); // what waits has been moved out of them
    const unsigned before = count_of(200);
    take_all(a);
    assert_int_equal(count_of(200), before + 1 + taken);
    assert_int_equal(say(a, GET("/small")), ERR_OK);
}

static void test_close_after_answer(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    say(a, "GET /big HTTP/1.0\r\n\r\nmore");
    assert_false(a->ended);
    take_all(a);
    assert_true(ends_with_big(a) && a->ended && !is_gone(a));
    say(a, "and more");
    assert_int_equal(a->recved, strlen("GET /big HTTP/1.0\r\n\r\nmoreand more"));
    hang_up(a);
    assert_true(a->closed);
}

static void test_half_close(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0), *b = join(1), *c = join(2), *d;
    say(a, GET("/big"));
    hang_up(a);
    assert_false(is_gone(a));
    take_all(a);
    assert_true(ends_with_big(a) && a->closed);
    d = join(3);
    say(d, "GET /big HTTP/1.0\r\n\r\n");
    hang_up(d);
    take_all(d);
    assert_true(ends_with_big(d) && d->closed);
    hang_up(b); // without a request
    assert_true(b->closed && b->length == 0);
    say(c, "GET / HT"); // half of one
    hang_up(c);
    assert_true(c->closed && c->length == 0);
}

static void test_input_byte_by_byte(void **state)
{
    (void)state;
    enum { BYTES = 8000 };
    struct altcp_pcb *a = join(0);
    say(a, GET("/big"));
    copied_bytes = 0;
    for (unsigned i = 0; i < BYTES; i++)
        assert_int_equal(say(a, "G"), ERR_OK);
    assert_int_equal(device_buffers, 0);
    assert_in_range(copied_bytes, BYTES, 200 * BYTES);
}

static void test_refused_by_lwip(void **state)
{
    (void)state;
    const uint64_t open = server_counters_get()->open;
    assert_int_not_equal(listener->accept(NULL, NULL, ERR_MEM), ERR_OK);
    assert_int_equal(server_counters_get()->open, open);
    const struct server_options options = {.port = 81, .connections = 1};
    assert_int_equal(server_start(&site, &options, 784111777), ERR_USE);
    assert_true(newest->closed);
    free(newest);
}

int main(void)
{
    if (!site_make())
        return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_answer),     TEST(test_back_pressure),      TEST(test_no_memory_for_a_while),
        TEST(test_pipelining), TEST(test_input_is_bounded),   TEST(test_close_after_answer),
        TEST(test_half_close), TEST(test_input_byte_by_byte), TEST(test_refused_by_lwip),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    site_free(&site);
    return failed;
}
