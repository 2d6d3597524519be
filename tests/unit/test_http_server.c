// http_server's connections: back-pressure, time-outs, making room, ends; the test plays the network.
// SPDX-License-Identifier: MIT
//
// @sources examples/http_server/server_raw.c
// @sources examples/http_server/http_protocol.c examples/http_server/http_line.c
// @sources examples/http_server/http_fields.c examples/http_server/http_body.c
// @sources examples/http_server/http_response.c examples/http_server/site.c examples/http_server/text.c
// @includes examples/http_server tests/unit/fake_lwip
#include "http_protocol.h"
#include "server_raw.h"

#include <lwip/altcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BIG = 300000, CLIENTS = 8 };

static struct site site;
static char big[BIG];
static struct altcp_pcb *listener, *newest;
static struct altcp_pcb *clients[CLIENTS];
static unsigned device_buffers; // of the network device, held by the server

// ---- lwIP's side
// ------------------------------------------------------------------------------------------------

struct altcp_pcb *altcp_new_ip_type(void *allocator, int type)
{
    (void)allocator;
    assert_int_equal(type, IPADDR_TYPE_ANY);
    struct altcp_pcb *pcb = calloc(1, sizeof(*pcb));
    pcb->room = TCP_SND_BUF;
    pcb->largest = UINT16_MAX;
    newest = pcb;
    return pcb;
}

err_t altcp_bind(struct altcp_pcb *pcb, const void *address, uint16_t port)
{
    (void)pcb;
    (void)address;
    return port == 81 ? ERR_USE : ERR_OK;
}

struct altcp_pcb *altcp_listen_with_backlog_and_err(struct altcp_pcb *pcb, uint8_t backlog, err_t *error)
{
    (void)backlog;
    *error = ERR_OK;
    return pcb;
}

void altcp_accept(struct altcp_pcb *pcb, altcp_accept_fn accept)
{
    listener = pcb;
    pcb->accept = accept;
}

void altcp_arg(struct altcp_pcb *pcb, void *arg)
{
    pcb->arg = arg;
}

void altcp_recv(struct altcp_pcb *pcb, altcp_recv_fn recv)
{
    pcb->recv = recv;
}

void altcp_sent(struct altcp_pcb *pcb, altcp_sent_fn sent)
{
    pcb->sent = sent;
}

void altcp_err(struct altcp_pcb *pcb, altcp_err_fn err)
{
    pcb->err = err;
}

void altcp_recved(struct altcp_pcb *pcb, uint16_t length)
{
    pcb->recved += length;
}

void altcp_abort(struct altcp_pcb *pcb)
{
    assert_null(pcb->err); // else lwIP would call back for a connection that is gone
    pcb->aborted = true;
}

err_t altcp_close(struct altcp_pcb *pcb)
{
    assert_null(pcb->recv);
    pcb->closed = true;
    return ERR_OK;
}

err_t altcp_shutdown(struct altcp_pcb *pcb, int receive, int transmit)
{
    assert_int_equal(receive, 0);
    assert_int_equal(transmit, 1);
    pcb->ended = true;
    return ERR_OK;
}

err_t altcp_write(struct altcp_pcb *pcb, const void *data, uint16_t length, uint8_t flags)
{
    (void)flags;
    assert_false(pcb->closed || pcb->aborted || pcb->ended);
    assert_true(length > 0);
    if (length > pcb->room || length > pcb->largest)
        return ERR_MEM;
    assert_true(pcb->length + length <= sizeof(pcb->out));
    memcpy(pcb->out + pcb->length, data, length);
    pcb->length += length;
    pcb->room -= length;
    return ERR_OK;
}

err_t altcp_output(struct altcp_pcb *pcb)
{
    assert_false(pcb->closed || pcb->aborted);
    return ERR_OK;
}

uint16_t altcp_sndbuf(struct altcp_pcb *pcb)
{
    return (uint16_t)pcb->room;
}

uint16_t altcp_mss(struct altcp_pcb *pcb)
{
    (void)pcb;
    return TCP_MSS;
}

void altcp_setprio(struct altcp_pcb *pcb, uint8_t priority)
{
    (void)pcb;
    (void)priority;
}

void altcp_nagle_disable(struct altcp_pcb *pcb)
{
    (void)pcb;
}

static struct pbuf *pbuf_new(const char *data, size_t length, int type)
{
    struct pbuf *p = calloc(1, sizeof(*p));
    p->payload = malloc(length);
    memcpy(p->payload, data, length);
    p->len = p->tot_len = (uint16_t)length;
    p->type = type;
    device_buffers += type == PBUF_POOL;
    return p;
}

uint8_t pbuf_free(struct pbuf *p)
{
    while (p != NULL) {
        struct pbuf *next = p->next;
        device_buffers -= p->type == PBUF_POOL;
        free(p->payload);
        free(p);
        p = next;
    }
    return 1;
}

void pbuf_cat(struct pbuf *head, struct pbuf *tail)
{
    for (; head->next != NULL; head = head->next)
        head->tot_len = (uint16_t)(head->tot_len + tail->tot_len);
    head->tot_len = (uint16_t)(head->tot_len + tail->tot_len);
    head->next = tail;
}

struct pbuf *pbuf_coalesce(struct pbuf *p, int layer)
{
    (void)layer;
    char *whole = malloc(p->tot_len);
    size_t length = 0;
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        memcpy(whole + length, q->payload, q->len);
        length += q->len;
    }
    assert_int_equal(length, p->tot_len);
    struct pbuf *one = pbuf_new(whole, length, PBUF_RAM);
    free(whole);
    pbuf_free(p);
    return one;
}

bool pbuf_match_type(const struct pbuf *p, int type)
{
    return p->type == type;
}

// ---- The clients' side
// ------------------------------------------------------------------------------------------

static err_t arrive(struct altcp_pcb *pcb)
{
    return listener->accept(NULL, pcb, ERR_OK);
}

static struct altcp_pcb *join(unsigned i)
{
    clients[i] = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
    assert_int_equal(arrive(clients[i]), ERR_OK);
    return clients[i];
}

static err_t say(struct altcp_pcb *pcb, const char *bytes)
{
    struct pbuf *p = pbuf_new(bytes, strlen(bytes), PBUF_POOL);
    const err_t error = pcb->recv(pcb->arg, pcb, p, ERR_OK);
    if (error == ERR_MEM)
        pbuf_free(p);
    return error;
}

static err_t hang_up(struct altcp_pcb *pcb)
{
    return pcb->recv(pcb->arg, pcb, NULL, ERR_OK);
}

// The client takes `most` bytes more.
static void take(struct altcp_pcb *pcb, size_t most)
{
    size_t length = pcb->length - pcb->acknowledged;
    if (length > most)
        length = most;
    if (length > UINT16_MAX)
        length = UINT16_MAX;
    pcb->acknowledged += length;
    pcb->room += length;
    if (pcb->sent != NULL)
        pcb->sent(pcb->arg, pcb, (uint16_t)length);
}

static void take_all(struct altcp_pcb *pcb)
{
    while (pcb->acknowledged < pcb->length && !pcb->aborted)
        take(pcb, 5000);
}

static bool is_gone(const struct altcp_pcb *pcb)
{
    return pcb->closed || pcb->aborted;
}

static void pass(unsigned seconds)
{
    while (seconds-- > 0)
        server_sweep(784111777);
}

static unsigned count_of(unsigned status)
{
    for (unsigned i = 0; i < SERVER_STATUSES; i++) {
        if (server_status(i) == status)
            return (unsigned)server_counters_get()->requests[i];
    }
    return 0;
}

static unsigned status_at(const char *bytes)
{
    unsigned status = 0;
    return sscanf(bytes, "HTTP/1.1 %u ", &status) == 1 ? status : 0;
}

// Whether `out` ends with the big page, whole.
static bool ends_with_big(const struct altcp_pcb *pcb)
{
    return pcb->length > BIG && memcmp(pcb->out + pcb->length - BIG, big, BIG) == 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static int start(void **state)
{
    (void)state;
    const struct server_options options = {.port = 80,
                                           .connections = 3,
                                           .idle_seconds = 60,
                                           .head_seconds = 10,
                                           .progress_seconds = 30,
                                           .send_memory = 1 << 20};
    return server_start(&site, &options, 784111777);
}

static int stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i] == NULL)
            continue;
        if (!is_gone(clients[i]) && clients[i]->err != NULL)
            clients[i]->err(clients[i]->arg, ERR_RST);
        free(clients[i]);
        clients[i] = NULL;
    }
    free(listener);
    listener = NULL;
    return server_counters_get()->open == 0 ? 0 : -1;
}

// ---- Tests
// ------------------------------------------------------------------------------------------------------

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

static void test_client_that_does_not_hang_up(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    say(a, "\x16\x03\x01");
    assert_int_equal(status_at(a->out), 400);
    assert_true(a->ended && !is_gone(a));
    pass(4);
    assert_true(is_gone(a));
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
    take(stuck, 1000); // does prolong it
    pass(29);
    assert_false(is_gone(stuck) || is_gone(idle));
    pass(4); // 62 altogether
    assert_true(stuck->aborted);
    assert_true(idle->closed);
}

static void test_idle_time_begins_with_the_answer(void **state)
{
    (void)state;
    struct altcp_pcb *a = join(0);
    pass(50);
    say(a, GET("/small"));
    pass(50);
    assert_false(is_gone(a));
    pass(12);
    assert_true(a->closed);
}

static void test_room_is_made(void **state)
{
    (void)state;
    struct altcp_pcb *first = join(0), *second = join(1), *third = join(2);
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

static void test_share_of_memory(void **state)
{
    (void)state;
    const struct server_options options = {.port = 80,
                                           .connections = 3,
                                           .idle_seconds = 60,
                                           .head_seconds = 10,
                                           .progress_seconds = 30,
                                           .send_memory = 1000};
    free(listener);
    assert_int_equal(server_start(&site, &options, 784111777), ERR_OK);
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

static void test_refused_by_lwip(void **state)
{
    (void)state;
    const uint64_t open = server_counters_get()->open;
    assert_int_not_equal(listener->accept(NULL, NULL, ERR_MEM), ERR_OK);
    assert_int_equal(server_counters_get()->open, open);
    const struct server_options options = {.port = 81};
    assert_int_equal(server_start(&site, &options, 784111777), ERR_USE);
    assert_true(newest->closed);
    free(newest);
}

int main(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 2654435761u >> 13);
    if (!site_init(&site, 4) || !site_add_file(&site, "/small", "small", 5, "a") ||
        !site_add_file(&site, "/big", big, BIG, "b"))
        return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_answer),
        TEST(test_back_pressure),
        TEST(test_no_memory_for_a_while),
        TEST(test_pipelining),
        TEST(test_input_is_bounded),
        TEST(test_close_after_answer),
        TEST(test_client_that_does_not_hang_up),
        TEST(test_half_close),
        TEST(test_time_outs),
        TEST(test_idle_time_begins_with_the_answer),
        TEST(test_room_is_made),
        TEST(test_share_of_memory),
        TEST(test_refused_by_lwip),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    site_free(&site);
    return failed;
}
