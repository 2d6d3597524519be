// Requests: the machine that runs the parts, and its bounds.
// SPDX-License-Identifier: MIT
//
// Strict where RFC 9112 lets a server choose: lines end in CR LF, one space separates the parts of a request
// line, a doubled Content-Length or Host is an error. What is unclear is refused, so no two programs can read
// one stream in two ways.
#include "http_parser.h"

#define IN_VALUE TEXT
#define IN_PATH  (TEXT | QUERYING | PLAIN)
#define IN_HOST  (TEXT | QUERYING | PLAIN | HOSTING)
#define IN_WORD  (TEXT | QUERYING | PLAIN | TOKEN)
#define IN_ALL   (TEXT | QUERYING | PLAIN | TOKEN | HOSTING)
const unsigned char http_classes[256] = {
    ['\t'] = IN_VALUE,
    [' '] = IN_VALUE,
    ['!'] = IN_ALL,
    ['"'] = IN_VALUE,
    ['#'] = TEXT | TOKEN,
    ['$'] = IN_ALL,
    ['%'] = TEXT | QUERYING | TOKEN | HOSTING,
    ['&'] = IN_ALL,
    ['\''] = IN_ALL,
    ['('] = IN_HOST,
    [')'] = IN_HOST,
    ['*' ... '+'] = IN_ALL,
    [','] = IN_HOST,
    ['-' ... '.'] = IN_ALL,
    ['/'] = IN_PATH,
    ['0' ... '9'] = IN_ALL | DIGIT | HEX,
    [':' ... ';'] = IN_HOST,
    ['<'] = IN_VALUE,
    ['='] = IN_HOST,
    ['>'] = IN_VALUE,
    ['?'] = TEXT | QUERYING,
    ['@'] = IN_PATH,
    ['A' ... 'F'] = IN_ALL | HEX,
    ['G' ... 'Z'] = IN_ALL,
    ['['] = IN_HOST,
    ['\\'] = IN_PATH,
    [']'] = IN_HOST,
    ['^'] = IN_WORD,
    ['_'] = IN_ALL,
    ['`'] = IN_WORD,
    ['a' ... 'f'] = IN_ALL | HEX,
    ['g' ... 'z'] = IN_ALL,
    ['{'] = IN_PATH,
    ['|'] = IN_WORD,
    ['}'] = IN_PATH,
    ['~'] = IN_ALL,
    [128 ... 255] = IN_VALUE,
};

// How many bytes of this state's kind may still come.
static size_t room(const struct http_request *r)
{
    if (r->state < BODY)
        return (r->state < FIELD ? HTTP_LINE_MAX : HTTP_HEAD_MAX) - r->counted;
    return r->state == BODY || r->state == CHUNK_DATA ? SIZE_MAX : HTTP_FRAMING_MAX - r->counted;
}

static unsigned status_without_room(const struct http_request *r)
{
    if (r->state < FIELD)
        return 414;
    return r->state < BODY ? 431 : 413;
}

static const char *step(struct http_request *r, const char *p, const char *end)
{
    if (r->state < FIELD)
        return http_line_step(r, p, end);
    return r->state < BODY ? http_field_step(r, p, end) : http_body_step(r, p, end);
}

// Eight bytes at a time: the C library's memcmp may go byte by byte.
static bool equal(const char *a, const char *b, size_t length)
{
    for (; length >= 8; a += 8, b += 8, length -= 8) {
        uint64_t x, y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y)
            return false;
    }
    while (length > 0 && *a == *b)
        a++, b++, length--;
    return length == 0;
}

// A client mostly repeats itself: the bytes of its last request, where they came in one piece and fit, stand
// in `text` with what came of them. The same bytes mean the same again.
static bool recall(struct http_request *r, const char *data, size_t size)
{
    if (r->repeat_length == 0 || size < r->repeat_length || !equal(data, r->text, r->repeat_length))
        return false;
    r->page = r->repeat_page;
    r->status = r->repeat_status;
    r->connection = r->repeat_connection;
    r->head_only = r->repeat_head_only;
    r->done = true;
    return true;
}

static void remember(struct http_request *r, const char *data, size_t size)
{
    r->repeat_length = 0; // a request in pieces, which begins so, has other use for `text`
    if (!r->done || size > HTTP_TEXT_MAX || r->connection == HTTP_CLOSE)
        return;
    memcpy(r->text, data, size);
    r->repeat_length = (uint16_t)size;
    r->repeat_page = r->page;
    r->repeat_status = r->status;
    r->repeat_connection = r->connection;
    r->repeat_head_only = r->head_only;
}

static size_t parse(struct http_request *r, const char *data, size_t size)
{
    const char *p = data;
    const char *end = data + size;
    while (p < end && !r->done) {
        const size_t most = room(r);
        if (most == 0) {
            fail(r, p, status_without_room(r));
            break;
        }
        const bool in_head = r->state < BODY;
        const char *next = step(r, p, (size_t)(end - p) > most ? p + most : end);
        if (in_head && r->state >= BODY)
            r->counted = 0;
        else if (most != SIZE_MAX)
            r->counted += (uint32_t)(next - p);
        p = next;
    }
    return (size_t)(p - data);
}

size_t http_request_feed(struct http_request *r, const char *data, size_t size)
{
    const bool fresh = http_request_idle(r);
    if (fresh && recall(r, data, size))
        return r->repeat_length;
    const size_t used = parse(r, data, size);
    if (fresh)
        remember(r, data, used);
    return used;
}

void http_request_init(struct http_request *r, const struct site *site)
{
    r->site = site;
    r->repeat_length = 0;
    http_request_reset(r);
}

void http_request_reset(struct http_request *r)
{
    const size_t from = offsetof(struct http_request, page);
    memset((char *)r + from, 0, offsetof(struct http_request, repeat_page) - from);
}

void http_request_expire(struct http_request *r)
{
    fail(r, NULL, 408);
}
