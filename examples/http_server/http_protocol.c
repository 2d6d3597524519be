// HTTP/1.1 requests: one small function per state, each taking as many bytes as it can.
// SPDX-License-Identifier: MIT
//
// Strict where RFC 9112 lets a server choose: lines end in CR LF, one space separates the parts of a request
// line, a doubled Content-Length or Host is an error. What is unclear is refused, so no two programs can read
// one stream in two ways.
#include "http_protocol.h"

#include <string.h>

enum method { GET, HEAD, OTHER, UNKNOWN };
enum field { IGNORED, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, IF_NONE_MATCH, TRANSFER_ENCODING };

enum state {
    START,
    START_LF,
    METHOD,
    TARGET,
    SCHEME,
    AUTHORITY,
    OPAQUE,
    PATH,
    ESCAPE,
    QUERY,
    VERSION,
    LINE_CR,
    LINE_LF,
    FIELD,
    NAME,
    BLANK,
    VALUE,
    VALUE_LF,
    HEAD_LF,
    BODY, // from here on the head is over
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER,
    TRAILER_TEXT,
    TRAILER_LF,
    BODY_LF
};

enum {
    TOKEN = 1,    // tchar of RFC 9110 section 5.6.2
    PLAIN = 2,    // in a path, standing for itself; more than RFC 3986 has, since browsers do not escape all
                  // that they should
    QUERYING = 4, // in a query, and in a target that is not looked into
    TEXT = 8,     // in a field's value
    HOSTING = 16, // in an authority, RFC 3986 section 3.2
    DIGIT = 32,
    HEX = 64
};

#define IN_VALUE TEXT
#define IN_PATH  (TEXT | QUERYING | PLAIN)
#define IN_HOST  (TEXT | QUERYING | PLAIN | HOSTING)
#define IN_WORD  (TEXT | QUERYING | PLAIN | TOKEN)
#define IN_ALL   (TEXT | QUERYING | PLAIN | TOKEN | HOSTING)
static const unsigned char classes[256] = {
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

static bool is(char c, unsigned set)
{
    return (classes[(unsigned char)c] & set) != 0;
}

static unsigned hex_value(char c)
{
    return is(c, DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static void done(struct http_request *r, unsigned status)
{
    r->status = (uint16_t)status;
    r->done = true;
}

// An answer after which the stream cannot be trusted any more.
static const char *fail(struct http_request *r, const char *p, unsigned status)
{
    r->connection = HTTP_CLOSE;
    done(r, status);
    return p;
}

static void keep(struct http_request *r, const char *from, size_t length)
{
    if (length > HTTP_TEXT_MAX - (size_t)r->text_length)
        length = HTTP_TEXT_MAX - (size_t)r->text_length;
    memcpy(r->text + r->text_length, from, length);
    r->text_length = (uint16_t)(r->text_length + length);
}

// A piece of the head that has come to its end: in the input where it came whole, else in `text`.
struct slice {
    const char *at;
    size_t length; // HTTP_TEXT_MAX: perhaps cut
};

static struct slice slice_end(struct http_request *r, const char *from, const char *end)
{
    struct slice slice = {from, (size_t)(end - from)};
    if (r->text_length > 0) {
        keep(r, from, slice.length);
        slice = (struct slice){r->text, r->text_length};
        r->text_length = 0;
    }
    if (slice.length > HTTP_TEXT_MAX)
        slice.length = HTTP_TEXT_MAX;
    return slice;
}

static bool is_cut(struct slice slice)
{
    return slice.length == HTTP_TEXT_MAX;
}

struct word {
    const char *text; // in lower case
    size_t length;
};
#define WORD(literal) ((struct word){literal, sizeof(literal) - 1})

// Whether `slice`, in any case, is `word`.
static bool same(struct slice slice, struct word word)
{
    if (word.length != slice.length)
        return false;
    for (size_t i = 0; i < word.length; i++) {
        const char c = slice.at[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c) != word.text[i])
            return false;
    }
    return true;
}

// ---- Request line
// -----------------------------------------------------------------------------------------------------------

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

static const char *in_start_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->state = START;
    return p + 1;
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

static const char *in_query(struct http_request *r, const char *p, const char *end)
{
    while (p < end && is(*p, QUERYING))
        p++;
    if (p == end)
        return p;
    if (*p != ' ')
        return fail(r, p, 400);
    r->state = VERSION;
    return p + 1;
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
    if (end - p >= 10 && r->match == 0 && memcmp(p, "HTTP/1.1\r\n", 10) == 0) { // as good as always
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

static const char *in_line_cr(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\r')
        return fail(r, p, 400);
    r->state = LINE_LF;
    return p + 1;
}

// ---- Header fields
// ----------------------------------------------------------------------------------------------------------

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

static const char *in_line_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->state = FIELD;
    return p + 1;
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

// Connection: a list of words.
static void connection_end(struct http_request *r, struct slice value)
{
    for (size_t i = 0; i < value.length;) {
        while (i < value.length && !is(value.at[i], TOKEN))
            i++;
        const size_t from = i;
        while (i < value.length && is(value.at[i], TOKEN))
            i++;
        const struct slice word = {value.at + from, i - from};
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
    while (!cut && value.length > 0 &&
           (value.at[value.length - 1] == ' ' || value.at[value.length - 1] == '\t'))
        value.length--;

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
    return ++p < end ? in_line_lf(r, p, end) : p;
}

// ---- End of the head: what to answer
// ----------------------------------------------------------------------------------------

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

// ---- Bodies: read and ignored
// -----------------------------------------------------------------------------------------------

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
    for (; p < end && is(*p, HEX); p++) {
        r->match = 1;
        if (r->body_left <= HTTP_BODY_MAX)
            r->body_left = r->body_left << 4 | hex_value(*p);
    }
    if (p == end)
        return p;
    if (r->match == 0)
        return fail(r, p, 400);
    r->state = CHUNK_EXTENSION;
    if (*p != ';' && *p != ' ' && *p != '\t' && *p != '\r')
        return fail(r, p, 400);
    if (r->body_left > HTTP_BODY_MAX - r->body_read)
        return fail(r, p, 413);
    r->body_read += (uint32_t)r->body_left;
    return p;
}

static const char *in_chunk_extension(struct http_request *r, const char *p, const char *end)
{
    while (p < end && is(*p, TEXT))
        p++;
    if (p == end)
        return p;
    if (*p != '\r')
        return fail(r, p, 400);
    r->state = CHUNK_LF;
    return p + 1;
}

static const char *in_chunk_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->state = r->body_left > 0 ? CHUNK_DATA : TRAILER;
    return p + 1;
}

static const char *in_chunk_data(struct http_request *r, const char *p, const char *end)
{
    p = body_skip(r, p, end);
    if (r->body_left == 0)
        r->state = CHUNK_DATA_CR;
    return p;
}

static const char *in_chunk_data_cr(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\r')
        return fail(r, p, 400);
    r->state = CHUNK_DATA_LF;
    return p + 1;
}

static const char *in_chunk_data_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->match = 0;
    r->state = CHUNK_SIZE;
    return p + 1;
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
    r->state = TRAILER_TEXT;
    return p;
}

static const char *in_trailer_text(struct http_request *r, const char *p, const char *end)
{
    while (p < end && is(*p, TEXT))
        p++;
    if (p == end)
        return p;
    if (*p != '\r')
        return fail(r, p, 400);
    r->state = TRAILER_LF;
    return p + 1;
}

static const char *in_trailer_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->state = TRAILER;
    return p + 1;
}

static const char *in_body_lf(struct http_request *r, const char *p, const char *end)
{
    (void)end;
    if (*p != '\n')
        return fail(r, p, 400);
    r->done = true;
    return p + 1;
}

// ---- The machine
// ------------------------------------------------------------------------------------------------------------

static const char *(*const states[])(struct http_request *r, const char *p, const char *end) = {
    [START] = in_start,
    [START_LF] = in_start_lf,
    [METHOD] = in_method,
    [TARGET] = in_target,
    [SCHEME] = in_scheme,
    [AUTHORITY] = in_authority,
    [OPAQUE] = in_query,
    [PATH] = in_path,
    [ESCAPE] = in_escape,
    [QUERY] = in_query,
    [VERSION] = in_version,
    [LINE_CR] = in_line_cr,
    [LINE_LF] = in_line_lf,
    [FIELD] = in_field,
    [NAME] = in_name,
    [BLANK] = in_blank,
    [VALUE] = in_value,
    [VALUE_LF] = in_line_lf,
    [HEAD_LF] = in_head_lf,
    [BODY] = in_body,
    [CHUNK_SIZE] = in_chunk_size,
    [CHUNK_EXTENSION] = in_chunk_extension,
    [CHUNK_LF] = in_chunk_lf,
    [CHUNK_DATA] = in_chunk_data,
    [CHUNK_DATA_CR] = in_chunk_data_cr,
    [CHUNK_DATA_LF] = in_chunk_data_lf,
    [TRAILER] = in_trailer,
    [TRAILER_TEXT] = in_trailer_text,
    [TRAILER_LF] = in_trailer_lf,
    [BODY_LF] = in_body_lf,
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

size_t http_request_feed(struct http_request *r, const char *data, size_t size)
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
        const char *next = states[r->state](r, p, (size_t)(end - p) > most ? p + most : end);
        if (in_head && r->state >= BODY)
            r->counted = 0;
        else if (most != SIZE_MAX)
            r->counted += (uint32_t)(next - p);
        p = next;
    }
    return (size_t)(p - data);
}

void http_request_init(struct http_request *r, const struct site *site)
{
    r->site = site;
    http_request_reset(r);
}

void http_request_reset(struct http_request *r)
{
    const size_t from = offsetof(struct http_request, page);
    memset((char *)r + from, 0, offsetof(struct http_request, text) - from);
}

bool http_request_idle(const struct http_request *r)
{
    return r->counted == 0 && r->state == START;
}

void http_request_expire(struct http_request *r)
{
    fail(r, NULL, 408);
}
