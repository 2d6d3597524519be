// Requests: bodies, read and ignored.
// SPDX-License-Identifier: MIT
#include "http_parser.h"

static const char *body_skip(struct http_request *r, const char *p, const char *end)
{
    const size_t here = (size_t)(end - p);
    const size_t take = r->body_left < here ? (size_t)r->body_left : here;
    r->body_left -= take;
    return p + take;
}

static const char *in_body(struct http_request *r, const char *p, const char *end)
{
    p = body_skip(r, p, end);
    if (r->body_left == 0)
        r->done = true;
    return p;
}

static const char *in_chunk_size(struct http_request *r, const char *p, const char *end)
{
    enum { DIGITS = 1, BLANKS = 2 }; // RFC 9112 section 7.1.1: blanks, then an extension
    for (; p < end && r->match < BLANKS && is(*p, HEX); p++) {
        r->match = DIGITS;
        if (r->body_left <= HTTP_BODY_MAX)
            r->body_left = r->body_left << 4 | hex_value(*p);
    }
    for (; p < end && r->match && (*p == ' ' || *p == '\t'); p++)
        r->match = BLANKS;
    if (p == end)
        return p;
    if (r->match == 0 || (*p != ';' && *p != '\r'))
        return fail(r, p, 400);
    r->match = 0;
    r->state = CHUNK_EXTENSION;
    if (r->body_left > HTTP_BODY_MAX - r->body_read)
        return fail(r, p, 413);
    r->body_read += (uint32_t)r->body_left;
    return p;
}

static const char *in_chunk_data(struct http_request *r, const char *p, const char *end)
{
    p = body_skip(r, p, end);
    if (r->body_left == 0)
        r->state = CHUNK_DATA_CR;
    return p;
}

static const char *in_trailer(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p == '\r') {
        r->state = BODY_LF;
        return p + 1;
    }
    if (!is(*p, TOKEN))
        return fail(r, p, 400);
    r->state = TRAILER_NAME;
    return p;
}

static const char *in_body_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->done = true;
    return p + 1;
}

const char *http_body_step(struct http_request *r, const char *p, const char *end)
{
    switch ((enum state)r->state) {
    case BODY:
        return in_body(r, p, end);
    case CHUNK_SIZE:
        return in_chunk_size(r, p, end);
    case CHUNK_EXTENSION:
        return skip(r, p, end, TEXT, '\r', CHUNK_LF);
    case CHUNK_LF:
        return expect(r, p, '\n', r->body_left > 0 ? CHUNK_DATA : TRAILER);
    case CHUNK_DATA:
        return in_chunk_data(r, p, end);
    case CHUNK_DATA_CR:
        return expect(r, p, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(r, p, '\n', CHUNK_SIZE);
    case TRAILER:
        return in_trailer(r, p, end);
    case TRAILER_NAME:
        return skip(r, p, end, TOKEN, ':', TRAILER_TEXT);
    case TRAILER_TEXT:
        return skip(r, p, end, TEXT, '\r', TRAILER_LF);
    case TRAILER_LF:
        return expect(r, p, '\n', TRAILER);
    case BODY_LF:
        return in_body_lf(r, p, end);
    default:
        return fail(r, p, 500);
    }
}
