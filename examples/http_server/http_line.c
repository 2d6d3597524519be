// Requests: the request line.
// SPDX-License-Identifier: MIT
#include "http_parser.h"

static const char *in_method(struct http_request *r, const char *p, const char *end);
static const char *in_target(struct http_request *r, const char *p, const char *end);
static const char *in_path(struct http_request *r, const char *p, const char *end);
static const char *in_version(struct http_request *r, const char *p, const char *end);

static const char *in_start(struct http_request *r, const char *p, const char *end)
{
    if (*p == '\r') { // RFC 9112 section 2.2: empty lines before a request are ignored
        r->state = START_LF;
        return p + 1;
    }
    r->state = METHOD;
    return in_method(r, p, end);
}

static enum method method_of(struct slice slice)
{
    static const struct word others[] = {{"POST", 4},  {"PUT", 3},   {"DELETE", 6}, {"OPTIONS", 7},
                                         {"PATCH", 5}, {"TRACE", 5}, {"CONNECT", 7}};
    if (slice.length == 3 && memcmp(slice.at, "GET", 3) == 0)
        return GET;
    if (slice.length == 4 && memcmp(slice.at, "HEAD", 4) == 0)
        return HEAD;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].length == slice.length && memcmp(slice.at, others[i].text, slice.length) == 0)
            return OTHER;
    }
    return UNKNOWN;
}

static const char *in_method(struct http_request *r, const char *p, const char *end)
{
    const char *from = p;
    while (p < end && is(*p, TOKEN))
        p++;
    if (p == end) {
        keep(r, from, (size_t)(p - from));
        return p;
    }
    const struct slice method = slice_end(r, from, p);
    if (*p != ' ' || method.length == 0)
        return fail(r, p, 400);
    r->method = (uint8_t)method_of(method);
    r->head_only = r->method == HEAD;
    r->state = TARGET;
    return ++p < end ? in_target(r, p, end) : p;
}

static const char *in_target(struct http_request *r, const char *p, const char *end)
{
    if (*p == '/') {
        r->state = PATH;
        return in_path(r, p, end);
    }
    if (r->method >= OTHER && *p != ' ') // OPTIONS *, CONNECT host:port: not for us to look into
        r->state = OPAQUE;
    else if (*p == 'h' || *p == 'H')
        r->state = SCHEME;
    else
        return fail(r, p, 400);
    return p;
}

// RFC 9112 section 3.2.2: a server must accept the absolute form, http://host/path, of any request.
static const char *in_scheme(struct http_request *r, const char *p, const char *end)
{
    static const char scheme[] = "http://";
    for (; p < end && r->match < sizeof(scheme) - 1; p++, r->match++) {
        if ((r->match < 4 ? (char)(*p | 0x20) : *p) != scheme[r->match])
            return fail(r, p, 400);
    }
    if (r->match == sizeof(scheme) - 1) {
        r->match = 0;
        r->state = AUTHORITY;
    }
    return p;
}

static const char *target_end(struct http_request *r, struct slice path, const char *p, const char *end)
{
    r->page = is_cut(path) ? NULL : site_find(r->site, path.at, path.length);
    r->match = 0;
    r->state = *p == '?' ? QUERY : VERSION;
    p++;
    return p < end && r->state == VERSION ? in_version(r, p, end) : p;
}

static const char *in_authority(struct http_request *r, const char *p, const char *end)
{
    for (; p < end && is(*p, HOSTING); p++)
        r->match = 1;
    if (p == end)
        return p;
    if (r->match == 0 || (*p != '/' && *p != '?' && *p != ' '))
        return fail(r, p, 400);
    if (*p == '/') {
        r->state = PATH;
        return p;
    }
    return target_end(r, (struct slice){"/", 1}, p, end); // an empty path means the root
}

static const char *in_path(struct http_request *r, const char *p, const char *end)
{
    const char *from = p;
    while (p < end && is(*p, PLAIN))
        p++;
    if (p == end || *p == '%') {
        keep(r, from, (size_t)(p - from));
        if (p == end)
            return p;
        r->match = 0;
        r->state = ESCAPE;
        return p + 1;
    }
    if (*p != ' ' && *p != '?')
        return fail(r, p, 400);
    return target_end(r, slice_end(r, from, p), p, end);
}

static const char *in_escape(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (!is(*p, HEX))
        return fail(r, p, 400);
    if (r->match++ == 0) {
        r->digit = (uint8_t)hex_value(*p);
        return p + 1;
    }
    const char c = (char)((unsigned)r->digit << 4 | hex_value(*p));
    if (c == '\0')
        return fail(r, p, 400);
    keep(r, &c, 1);
    r->state = PATH;
    return p + 1;
}

// "HTTP/" DIGIT "." DIGIT
static const char *in_version(struct http_request *r, const char *p, const char *end)
{
    static const char form[] = "HTTP/1.";
    if (end - p >= 10 && r->match == 0 && memcmp(p, "HTTP/1.1\r\n", 10) == 0) { // nearly always
        r->minor = 1;
        r->state = FIELD;
        return p + 10;
    }
    for (; p < end && r->match < sizeof(form) - 1; p++, r->match++) {
        if (*p != form[r->match])
            return fail(r, p, r->match == 5 && is(*p, DIGIT) ? 505 : 400);
    }
    if (p == end)
        return p;
    if (!is(*p, DIGIT))
        return fail(r, p, 400);
    r->minor = (uint8_t)(*p - '0');
    r->state = LINE_CR;
    return p + 1;
}

const char *http_line_step(struct http_request *r, const char *p, const char *end)
{
    switch ((enum state)r->state) {
    case START:
        return in_start(r, p, end);
    case START_LF:
        return expect(r, p, '\n', START);
    case METHOD:
        return in_method(r, p, end);
    case TARGET:
        return in_target(r, p, end);
    case SCHEME:
        return in_scheme(r, p, end);
    case AUTHORITY:
        return in_authority(r, p, end);
    case OPAQUE:
    case QUERY:
        return skip(r, p, end, QUERYING, ' ', VERSION);
    case PATH:
        return in_path(r, p, end);
    case ESCAPE:
        return in_escape(r, p, end);
    case VERSION:
        return in_version(r, p, end);
    case LINE_CR:
        return expect(r, p, '\r', LINE_LF);
    case LINE_LF:
        return expect(r, p, '\n', FIELD);
    default:
        return fail(r, p, 500);
    }
}
