// Requests: the header fields, and at the end of the head the decision what to answer.
// SPDX-License-Identifier: MIT
#include "http_parser.h"

static const char *in_name(struct http_request *r, const char *p, const char *end);
static const char *in_blank(struct http_request *r, const char *p, const char *end);
static const char *in_value(struct http_request *r, const char *p, const char *end);
static const char *in_head_lf(struct http_request *r, const char *p, const char *end);

static const char *in_field(struct http_request *r, const char *p, const char *end)
{
    if (*p == '\r') {
        r->state = HEAD_LF;
        return ++p < end ? in_head_lf(r, p, end) : p;
    }
    if (!is(*p, TOKEN)) // a space too: folded lines are obsolete, RFC 9112 section 5.2
        return fail(r, p, 400);
    if (++r->fields > HTTP_FIELDS_MAX)
        return fail(r, p, 431);
    r->state = NAME;
    return in_name(r, p, end);
}

static enum field field_of(struct slice name)
{
    static const struct {
        struct word name;
        enum field field;
    } known[] = {
        {{"host", 4}, HOST},
        {{"connection", 10}, CONNECTION},
        {{"if-none-match", 13}, IF_NONE_MATCH},
        {{"content-length", 14}, CONTENT_LENGTH},
        {{"transfer-encoding", 17}, TRANSFER_ENCODING},
        {{"expect", 6}, EXPECT},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (same(name, known[i].name))
            return known[i].field;
    }
    return IGNORED;
}

static const char *in_name(struct http_request *r, const char *p, const char *end)
{
    const char *from = p;
    while (p < end && is(*p, TOKEN))
        p++;
    if (p == end) {
        keep(r, from, (size_t)(p - from));
        return p;
    }
    if (*p != ':') // a space before the colon too, RFC 9112 section 5.1
        return fail(r, p, 400);
    r->field = (uint8_t)field_of(slice_end(r, from, p));
    r->state = BLANK;
    return ++p < end ? in_blank(r, p, end) : p;
}

static const char *in_blank(struct http_request *r, const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end)
        return p;
    r->state = VALUE;
    return in_value(r, p, end);
}

static struct slice trimmed(struct slice slice)
{
    while (slice.length > 0 && (slice.at[0] == ' ' || slice.at[0] == '\t'))
        slice.at++, slice.length--;
    while (slice.length > 0 && (slice.at[slice.length - 1] == ' ' || slice.at[slice.length - 1] == '\t'))
        slice.length--;
    return slice;
}

// Connection: a list of words.
static void connection_end(struct http_request *r, struct slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        const size_t from = i;
        while (i < value.length && value.at[i] != ',')
            i++;
        const struct slice word = trimmed((struct slice){value.at + from, i - from});
        r->wants_close |= same(word, WORD("close"));
        r->wants_keep |= same(word, WORD("keep-alive"));
    }
}

// If-None-Match: * or a list of entity tags, compared weakly (RFC 9110 section 13.1.2). A list longer than
// HTTP_TEXT_MAX is looked at as far as it was kept: at worst the client gets a page that it has.
static void if_none_match_end(struct http_request *r, struct slice value)
{
    const struct site_page *page = r->page;
    if (page == NULL || page->etag == NULL)
        return;
    if (value.length == 1 && value.at[0] == '*')
        r->unchanged = true;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] != '"')
            continue;
        const size_t from = i++;
        while (i < value.length && value.at[i] != '"')
            i++;
        if (i < value.length && i + 1 - from == page->etag_length &&
            memcmp(value.at + from, page->etag, page->etag_length) == 0)
            r->unchanged = true;
    }
}

static unsigned content_length_end(struct http_request *r, struct slice value)
{
    if (r->has_length || value.length == 0 || is_cut(value))
        return 400;
    r->has_length = true;
    for (size_t i = 0; i < value.length; i++) {
        if (!is(value.at[i], DIGIT))
            return 400;
        if (r->body_left <= HTTP_BODY_MAX) // beyond that it is too long, whatever follows
            r->body_left = r->body_left * 10 + (uint64_t)(value.at[i] - '0');
    }
    return 0;
}

static unsigned host_end(struct http_request *r, struct slice value)
{
    if (++r->hosts > 1 || is_cut(value))
        return 400;
    const char *p = value.at;
    while (p < value.at + value.length && is(*p, HOSTING))
        p++;
    return p == value.at + value.length ? 0 : 400;
}

// The end of a known field's value. Returns 0 or the status of an error.
static unsigned value_end(struct http_request *r, struct slice value)
{
    const bool cut = is_cut(value);
    if (!cut)
        value = trimmed(value);

    switch ((enum field)r->field) {
    case CONNECTION:
        connection_end(r, value);
        return cut ? 431 : 0;
    case CONTENT_LENGTH:
        return content_length_end(r, value);
    case EXPECT:
        r->expects_continue = same(value, WORD("100-continue"));
        return r->expects_continue ? 0 : 417;
    case HOST:
        return host_end(r, value);
    case IF_NONE_MATCH:
        if_none_match_end(r, value);
        return 0;
    case TRANSFER_ENCODING:
        if (r->chunked || r->minor == 0)
            return 400;
        r->chunked = same(value, WORD("chunked"));
        return r->chunked ? 0 : 501;
    case IGNORED:
        break;
    }
    return 0;
}

// Skips what may stand in a value: eight bytes at a time while none of them is a control character (a tab is
// rare).
static const char *skip_text(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101;
    while (end - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        const uint64_t delete = eight ^ 0x7f * ones;
        const uint64_t controls = (eight - 0x20 * ones) & ~eight;
        const uint64_t deletes = (delete - ones) & ~delete;
        if (((controls | deletes) & 0x80 * ones) != 0)
            break;
        p += 8;
    }
    while (p < end && is(*p, TEXT))
        p++;
    return p;
}

static const char *in_value(struct http_request *r, const char *p, const char *end)
{
    const char *from = p;
    p = skip_text(p, end);
    if (p == end) {
        if (r->field != IGNORED)
            keep(r, from, (size_t)(p - from));
        return p;
    }
    if (*p != '\r')
        return fail(r, p, 400);
    if (r->field != IGNORED) {
        const unsigned status = value_end(r, slice_end(r, from, p));
        if (status != 0)
            return fail(r, p, status);
    }
    r->state = VALUE_LF;
    return ++p < end ? expect(r, p, '\n', FIELD) : p;
}

static unsigned status_of(const struct http_request *r)
{
    if (r->method == UNKNOWN)
        return 501;
    if (r->method == OTHER)
        return 405;
    if (r->page == NULL)
        return 404;
    return r->unchanged ? 304 : 200;
}

static const char *in_head_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n' || (r->minor > 0 && r->hosts == 0) || (r->chunked && r->has_length))
        return fail(r, p, 400);
    if (r->body_left > HTTP_BODY_MAX)
        return fail(r, p, 413);

    if (r->wants_close || (r->minor == 0 && !r->wants_keep))
        r->connection = HTTP_CLOSE;
    else
        r->connection = r->minor == 0 ? HTTP_KEEP_TOLD : HTTP_KEEP;

    r->status = (uint16_t)status_of(r);
    if (r->chunked || r->body_left > 0) {
        // The answer does not depend on the body. One who waits to be told to send it is answered at once
        // instead; whether the body comes nevertheless is then unknown, so the connection ends there (RFC
        // 9110 section 10.1.1).
        if (r->expects_continue && r->minor > 0)
            return fail(r, p + 1, r->status);
        r->state = r->chunked ? CHUNK_SIZE : BODY;
        r->match = 0;
    } else {
        r->done = true;
    }
    return p + 1;
}

const char *http_field_step(struct http_request *r, const char *p, const char *end)
{
    switch ((enum state)r->state) {
    case FIELD:
        return in_field(r, p, end);
    case NAME:
        return in_name(r, p, end);
    case BLANK:
        return in_blank(r, p, end);
    case VALUE:
        return in_value(r, p, end);
    case VALUE_LF:
        return expect(r, p, '\n', FIELD);
    case HEAD_LF:
        return in_head_lf(r, p, end);
    default:
        return fail(r, p, 500);
    }
}
