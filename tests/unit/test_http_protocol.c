// http_server's protocol: statuses, framing, conditions, and that no way of cutting the bytes matters.
// SPDX-License-Identifier: MIT
//
// @sources examples/http_server/http_protocol.c examples/http_server/http_line.c
// @sources examples/http_server/http_fields.c examples/http_server/http_body.c
// @sources examples/http_server/http_response.c examples/http_server/site.c examples/http_server/text.c
// @sources libbaremetal/base/format.c
// @includes examples/http_server
#include "http_protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST      "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static struct site site;
static char date[TEXT_DATE_LENGTH];

static size_t render(char *out, size_t size)
{
    return (size_t)snprintf(out, size, "rendered\n");
}

// The longest path that a page may have.
static const char *longest_path(void)
{
    static char path[SITE_PATH_MAX + 1];
    memset(path, 'p', SITE_PATH_MAX);
    path[0] = '/';
    return path;
}

static int set_up(void **state)
{
    (void)state;
    text_date(date, 784111777);
    return site_init(&site, 8) && site_add_file(&site, "/index.html", "<h1>", 4, "abc") &&
                   site_add_file(&site, "/a b.txt", "text", 4, "def") &&
                   site_add_file(&site, "/sub/index.html", "sub", 3, "012") &&
                   site_add_file(&site, longest_path(), "long", 4, "345") &&
                   site_add_rendered(&site, "/metrics", "text/plain", render)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    site_free(&site);
    return 0;
}

// What came of a stream of bytes: the answers, one after the other, as they would go out; up to the first
// that closes.
struct outcome {
    unsigned statuses[8];
    unsigned answers;
    bool closed, idle;
    size_t used;
    size_t length;
    char bytes[16384];
};

static void take(struct outcome *outcome, struct http_request *request)
{
    char buffer[HTTP_RESPONSE_MAX];
    const struct http_response response = http_response_make(request, date, buffer, sizeof(buffer));
    assert_true(outcome->answers < 8);
    assert_true(http_status_number(response.status) < HTTP_STATUSES);
    assert_true(outcome->length + response.head_length + response.body_length < sizeof(outcome->bytes));
    memcpy(outcome->bytes + outcome->length, buffer, response.head_length);
    outcome->length += response.head_length;
    if (response.body_length > 0)
        memcpy(outcome->bytes + outcome->length, response.body, response.body_length);
    outcome->length += response.body_length;
    outcome->statuses[outcome->answers++] = response.status;
    outcome->closed = response.close;
    http_request_reset(request);
}

// Each portion lies in a piece of heap of its own, so that the sanitizer sees a read beyond it.
static void play(struct outcome *outcome, const char *bytes, size_t size, size_t first, size_t portion)
{
    struct http_request request;
    memset(outcome, 0, sizeof(*outcome));
    http_request_init(&request, &site);
    for (size_t at = 0; at < size && !outcome->closed;) {
        size_t length = at == 0 && first > 0 ? first : portion;
        if (length > size - at)
            length = size - at;
        char *copy = malloc(length);
        memcpy(copy, bytes + at, length);
        size_t used = 0;
        while (used < length && !outcome->closed) {
            used += http_request_feed(&request, copy + used, length - used);
            if (request.done)
                take(outcome, &request);
            else
                assert_int_equal(used, length);
        }
        free(copy);
        at += used;
        outcome->used = at;
    }
    outcome->idle = http_request_idle(&request);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->answers, b->answers);
    assert_int_equal(a->closed, b->closed);
    assert_int_equal(a->idle, b->idle);
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->bytes, b->bytes, a->length);
}

// Plays the bytes whole, byte by byte, in sevens, and cut in two at every place.
static struct outcome play_all(const char *bytes, size_t size)
{
    static struct outcome whole, other;
    play(&whole, bytes, size, 0, size);
    play(&other, bytes, size, 0, 1);
    assert_same(&whole, &other);
    play(&other, bytes, size, 0, 7);
    assert_same(&whole, &other);
    for (size_t cut = 1; cut < size && size < 2000; cut++) {
        play(&other, bytes, size, cut, size);
        assert_same(&whole, &other);
    }
    return whole;
}

struct expectation {
    const char *request;
    unsigned status; // 0: no answer yet
    bool closes;
};

static void check(const struct expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct outcome outcome = play_all(cases[i].request, strlen(cases[i].request));
        if (outcome.statuses[0] != cases[i].status || outcome.closed != cases[i].closes ||
            outcome.answers != (cases[i].status != 0))
            fail_msg("status %u, closed %d, %u answers to: %s", outcome.statuses[0], outcome.closed,
                     outcome.answers, cases[i].request);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_paths(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /index.html HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /index.html?a=b&c[]={d}|'%zz HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /sub/ HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /sub HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /a%20b.txt HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /%61%20%62.t%78t HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /%6Dindex.html HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET /none HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /../index.html HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /sub/%2e%2e/index.html HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /sub/..%2findex.html HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET //index.html HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /index.html%00.txt HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /%2 HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /%zz HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /\x80 HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET http://x/index.html HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET HTTP://x:80 HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET http://[::1]?q HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"GET http:///index.html HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET http://u@x/ HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET ftp://x/ HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET * HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET index.html HTTP/1.1\r\n" HOST "\r\n", 400, true},
    };
    CHECK(cases);
}

static void test_request_lines(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"HEAD / HTTP/1.1\r\n" HOST "\r\n", 200, false},
        {"POST / HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"PUT /none HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"DELETE / HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"PATCH / HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"TRACE / HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"CONNECT x:443 HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"BREW / HTTP/1.1\r\n" HOST "\r\n", 501, false},
        {"get / HTTP/1.1\r\n" HOST "\r\n", 501, false},
        {"GETT / HTTP/1.1\r\n" HOST "\r\n", 501, false},
        {"\n\nGET / HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {" GET / HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /  HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400, true},
        {"GET / HTTP/1.1\n" HOST "\r\n", 400, true},
        {"GET / HTTP/1.1\rX" HOST "\r\n", 400, true},
        {"GET /\r\n", 400, true}, // HTTP/0.9
        {"GET / HTTP/1.\r\n", 400, true},
        {"GET / HTTP/11\r\n", 400, true},
        {"GET / http/1.1\r\n", 400, true},
        {"GET / HTTP/1.10\r\n", 400, true},
        {"GET / HTTP/1.9\r\n" HOST "\r\n", 200, false},
        {"GET / HTTP/2.0\r\n", 505, true},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true},
        {"\x16\x03\x01\x02", 400, true}, // TLS to the wrong port: told at once
        {"", 0, false},
        {"GET / HTTP/1.1\r\n" HOST, 0, false},
        {"GET / HTTP/1.1\r\n" HOST "\r", 0, false},
    };
    CHECK(cases);
}

static void test_fields(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400, true}, // no Host
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\nhOST: \t x:80 \t \r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, true},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, true},
        {"GET / HTTP/1.0\r\n\r\n", 200, true},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200, true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: x, ,CLOSE , y\r\n\r\n", 200, true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close x\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\xff, x\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close\r\n\r\n", 200, true},
        {"GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400, true}, // folded
        {"GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X: a\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X: 12345678\x7f\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X: 12345678\x01 12345678\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X: \t12345678\t12345678 \xff\x80 12345678\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "X(Y): a\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417, true},
        {"GET / HTTP/1.1\r\n" HOST "\rX", 400, true},
    };
    CHECK(cases);
    static const char nul[] = "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
    assert_int_equal(play_all(nul, sizeof(nul) - 1).statuses[0], 400);
    static const char nul_path[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
    assert_int_equal(play_all(nul_path, sizeof(nul_path) - 1).statuses[0], 400);
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405, false},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab", 0, false},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 000\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab\r\nc", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999999999999\r\n\r\n", 413, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", 413, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\na", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400,
         true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n00\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0 \r\nT: v\r\n\r\n",
         200, false},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n\r\nabc", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5 5\r\nabcde\r\n0\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5 ; a\r\nabcde\r\n0\r\n\r\n", 200,
         false},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nT\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nT : v\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n :\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10001\r\n", 413, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff1\r\n", 413, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nfffe\r\n", 413, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, true},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501, true},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, true},
        {"POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n", 405, true},
        {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", 405, true},
    };
    CHECK(cases);
}

static void test_conditional(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: \"abc\"\r\n\r\n", 304, false},
        {"HEAD / HTTP/1.1\r\n" HOST "If-None-Match: W/\"abc\"\r\n\r\n", 304, false},
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: \"x\", W/\"y\" ,\"abc\"\r\n\r\n", 304, false},
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", 304, false},
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: abc\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: \"x,\"abc\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: \"abc\r\n\r\n", 200, false},
        {"GET / HTTP/1.1\r\n" HOST "If-None-Match: \"ABC\"\r\n\r\n", 200, false},
        {"GET /metrics HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", 200, false},
        {"GET /none HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", 404, false},
        {"POST / HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", 405, false},
    };
    CHECK(cases);
}

// A request of `fill` times `c` between two texts.
static struct outcome play_long(const char *before, char c, size_t fill, const char *after)
{
    const size_t size = strlen(before) + fill + strlen(after);
    char *bytes = malloc(size + 1);
    strcpy(bytes, before);
    memset(bytes + strlen(before), c, fill);
    strcpy(bytes + strlen(before) + fill, after);
    const struct outcome outcome = play_all(bytes, size);
    free(bytes);
    return outcome;
}

static void test_bounds(void **state)
{
    (void)state;
    const char *version = " HTTP/1.1\r\n" HOST "\r\n";
    const size_t line = strlen("GET /") + strlen(" HTTP/1.1\r\n");
    const size_t rest = strlen("GET / HTTP/1.1\r\n" HOST "X: \r\n\r\n");

    assert_int_equal(play_long("GET /", 'a', 254, version).statuses[0], 404);
    assert_int_equal(play_long("GET /", 'a', HTTP_LINE_MAX - line, version).statuses[0], 404);
    assert_int_equal(play_long("GET /", 'a', HTTP_LINE_MAX - line + 1, version).statuses[0], 414);
    assert_int_equal(play_long("GET /?", 'a', HTTP_LINE_MAX - line - 1, version).statuses[0], 200);
    assert_int_equal(play_long("GET /?", 'a', 100000, version).statuses[0], 414);
    assert_int_equal(play_long("", 'A', 300, " / HTTP/1.1\r\n" HOST "\r\n").statuses[0], 501);
    assert_int_equal(play_long("", 'A', 9000, " / HTTP/1.1\r\n" HOST "\r\n").statuses[0], 414);

    assert_int_equal(play_long("GET /", 'p', SITE_PATH_MAX - 1, version).statuses[0], 200);
    assert_int_equal(play_long("GET /", 'p', SITE_PATH_MAX, version).statuses[0], 404);
    assert_int_equal(play_long("GET /", 'p', SITE_PATH_MAX + 1, version).statuses[0], 404);

    const char *x = "GET / HTTP/1.1\r\n" HOST "X: ";
    assert_int_equal(play_long(x, 'a', HTTP_HEAD_MAX - rest, "\r\n\r\n").statuses[0], 200);
    assert_int_equal(play_long(x, 'a', HTTP_HEAD_MAX - rest + 1, "\r\n\r\n").statuses[0], 431);
    assert_int_equal(play_long("GET / HTTP/1.1\r\n" HOST, 'a', 20000, ": x\r\n\r\n").statuses[0], 431);
    assert_int_equal(play_long("GET / HTTP/1.1\r\nHost: ", 'a', 300, "\r\n\r\n").statuses[0], 400);
    assert_int_equal(play_long("GET / HTTP/1.1\r\n" HOST "Connection: ", 'a', 300, "\r\n\r\n").statuses[0],
                     431);
    assert_int_equal(
        play_long("GET / HTTP/1.1\r\n" HOST "Content-Length: ", '0', 300, "\r\n\r\n").statuses[0], 400);
    assert_int_equal(
        play_long("GET / HTTP/1.1\r\n" HOST "If-None-Match: \"", 'a', 300, "\", *\r\n\r\n").statuses[0], 200);
    assert_int_equal(
        play_long("POST / HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n", 'a', 65536, "").statuses[0],
        405);
}

static void test_field_count(void **state)
{
    (void)state;
    for (unsigned fields = HTTP_FIELDS_MAX; fields <= HTTP_FIELDS_MAX + 1; fields++) {
        char bytes[4096] = "GET / HTTP/1.1\r\n" HOST;
        for (unsigned i = 1; i < fields; i++)
            strcat(bytes, "A: b\r\n");
        strcat(bytes, "\r\n");
        assert_int_equal(play_all(bytes, strlen(bytes)).statuses[0], fields > HTTP_FIELDS_MAX ? 431 : 200);
    }
}

static void test_chunk_framing_bound(void **state)
{
    (void)state;
    static char bytes[100000] = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    char *at = bytes + strlen(bytes);
    for (int i = 0; i < 10000; i++)
        at = stpcpy(at, "1\r\na\r\n");
    strcpy(at, "0\r\n\r\n");
    assert_int_equal(play_all(bytes, strlen(bytes)).statuses[0], 413);
}

// The bound on framing is its own: the head before it does not count.
static void test_long_head_before_chunks(void **state)
{
    (void)state;
    const struct outcome outcome =
        play_long("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nX: ", 'a', HTTP_HEAD_MAX - 200,
                  "\r\n\r\n1;a=012345678901234567890123456789012345678901234567890123456789\r\na\r\n"
                  "1;a=012345678901234567890123456789012345678901234567890123456789\r\na\r\n"
                  "1;a=012345678901234567890123456789012345678901234567890123456789\r\na\r\n0\r\n\r\n");
    assert_int_equal(outcome.statuses[0], 405);
}

static void test_pipelining(void **state)
{
    (void)state;
    static const char bytes[] =
        "GET / HTTP/1.1\r\n" HOST "\r\n"
        "HEAD /metrics HTTP/1.1\r\n" HOST "\r\n"
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 16\r\n\r\nGET / HTTP/1.1\r\n"
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n"
        "\r\nGET /none HTTP/1.1\r\n" HOST "\r\n"
        "GET /sub/ HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"
        "GET / HTTP/1.1\r\n" HOST "\r\n";
    const struct outcome outcome = play_all(bytes, sizeof(bytes) - 1);
    const unsigned expected[] = {200, 200, 405, 405, 404, 200};
    assert_int_equal(outcome.answers, 6);
    assert_memory_equal(outcome.statuses, expected, sizeof(expected));
    assert_true(outcome.closed);
    assert_int_equal(outcome.used, sizeof(bytes) - 1 - strlen("GET / HTTP/1.1\r\n" HOST "\r\n"));
}

#define IF(etag) "GET / HTTP/1.1\r\n" HOST "If-None-Match: " etag "\r\n\r\n"
#define HEAD     "HEAD / HTTP/1.1\r\n" HOST "\r\n"

// A request that came before is recognised by its bytes: by all of them.
static void test_repetition(void **state)
{
    (void)state;
    static const char bytes[] = GET("/") GET("/") GET("/x") IF("\"abc\"") IF("\"abd\"") HEAD HEAD;
    const struct outcome outcome = play_all(bytes, sizeof(bytes) - 1);
    const unsigned expected[] = {200, 200, 404, 304, 200, 200, 200};
    assert_int_equal(outcome.answers, 7);
    assert_memory_equal(outcome.statuses, expected, sizeof(expected));
    unsigned bodies = 0;
    for (const char *at = outcome.bytes; (at = strstr(at, "\r\n\r\n<h1>")) != NULL; at++)
        bodies++;
    assert_int_equal(bodies, 3); // not of the 404, the 304 and the HEADs

    // What came in pieces since then has taken the place of the bytes that were kept.
    struct http_request request;
    http_request_init(&request, &site);
    http_request_feed(&request, GET("/"), strlen(GET("/")));
    http_request_reset(&request);
    http_request_feed(&request, "GET /", 5);
    http_request_feed(&request, &GET("/")[5], strlen(GET("/")) - 5);
    http_request_reset(&request);
    http_request_feed(&request, "/ET / HTTP/1.1\r\n" HOST "\r\n", strlen(GET("/")));
    assert_true(request.done);
    assert_int_equal(request.status, 400);
}

static void assert_answer(const char *request, const char *expected)
{
    const struct outcome outcome = play_all(request, strlen(request));
    assert_int_equal(outcome.length, strlen(expected));
    assert_memory_equal(outcome.bytes, expected, outcome.length);
}

static void test_answers(void **state)
{
    (void)state;
    assert_answer("GET / HTTP/1.1\r\n" HOST "\r\n",
                  "HTTP/1.1 200 OK\r\nServer: libbaremetal\r\nContent-Type: text/html; charset=utf-8\r\n"
                  "Content-Length: 4\r\nCache-Control: no-cache\r\nETag: \"abc\"\r\n"
                  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n<h1>");
    assert_answer("HEAD /a%20b.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                  "HTTP/1.1 200 OK\r\nServer: libbaremetal\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Length: 4\r\nCache-Control: no-cache\r\nETag: \"def\"\r\n"
                  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n\r\n");
    assert_answer(
        "GET /metrics HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nServer: libbaremetal\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"
        "Cache-Control: no-store\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: "
        "close\r\n\r\nrendered\n");
    assert_answer(
        "HEAD /metrics HTTP/1.1\r\n" HOST "\r\n",
        "HTTP/1.1 200 OK\r\nServer: libbaremetal\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"
        "Cache-Control: no-store\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    assert_answer(
        "GET / HTTP/1.1\r\n" HOST "If-None-Match: \"abc\"\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nServer: libbaremetal\r\nCache-Control: no-cache\r\nETag: \"abc\"\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    assert_answer("POST / HTTP/1.1\r\n" HOST "\r\n",
                  "HTTP/1.1 405 Method Not Allowed\r\nServer: libbaremetal\r\nContent-Type: text/html; "
                  "charset=utf-8\r\n"
                  "Content-Length: 106\r\nAllow: GET, HEAD\r\nCache-Control: no-store\r\n"
                  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
                  "<!doctype html><meta charset=\"utf-8\"><title>405 Method Not Allowed</title>"
                  "<h1>405 Method Not Allowed</h1>\n");
}

static void test_own_404_page(void **state)
{
    (void)state;
    assert_true(site_add_file(&site, "/404.html", "lost", 4, "404"));
    assert_answer(
        "GET /none HTTP/1.1\r\n" HOST "\r\n",
        "HTTP/1.1 404 Not Found\r\nServer: libbaremetal\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Length: 4\r\nCache-Control: no-store\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nlost");
    assert_answer(
        "HEAD /none HTTP/1.1\r\n" HOST "\r\n",
        "HTTP/1.1 404 Not Found\r\nServer: libbaremetal\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Length: 4\r\nCache-Control: no-store\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
}

static void test_expiry(void **state)
{
    (void)state;
    static struct outcome outcome;
    struct http_request request;
    http_request_init(&request, &site);
    assert_true(http_request_idle(&request));
    http_request_feed(&request, "GET /", 5);
    assert_false(http_request_idle(&request));
    http_request_expire(&request);
    assert_true(request.done);
    take(&outcome, &request);
    assert_int_equal(outcome.statuses[0], 408);
    assert_true(outcome.closed);
    assert_true(http_request_idle(&request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_request_lines),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_conditional),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_field_count),
        cmocka_unit_test(test_chunk_framing_bound),
        cmocka_unit_test(test_long_head_before_chunks),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_repetition),
        cmocka_unit_test(test_own_404_page),
        cmocka_unit_test(test_expiry),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
