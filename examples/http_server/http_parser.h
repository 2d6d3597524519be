// What the parts of the request parser share: states, kinds of characters, pieces of text.
// SPDX-License-Identifier: MIT
#pragma once

#include "http_protocol.h"

#include <string.h>

enum method { GET, HEAD, OTHER, UNKNOWN };
enum field { IGNORED, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, IF_NONE_MATCH, TRANSFER_ENCODING };

enum state {
    START, // 0: of a request that is idle
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
    TRAILER_NAME,
    TRAILER_TEXT,
    TRAILER_LF,
    BODY_LF
};

_Static_assert(START == 0, "http_request_idle looks for it");

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

extern const unsigned char http_classes[256];

// One step of the parser in the states of the request line, of the header fields, of the body: takes bytes
// from [p, end), at least one unless the state changes, and returns the first that it did not take.
const char *http_line_step(struct http_request *r, const char *p, const char *end);
const char *http_field_step(struct http_request *r, const char *p, const char *end);
const char *http_body_step(struct http_request *r, const char *p, const char *end);

static inline bool is(char c, unsigned set)
{
    return (http_classes[(unsigned char)c] & set) != 0;
}

static inline unsigned hex_value(char c)
{
    return is(c, DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static inline void done(struct http_request *r, unsigned status)
{
    r->status = (uint16_t)status;
    r->done = true;
}

// An answer after which the stream cannot be trusted any more.
static inline const char *fail(struct http_request *r, const char *p, unsigned status)
{
    r->connection = HTTP_CLOSE;
    done(r, status);
    return p;
}

// A byte that can be nothing else.
static inline const char *expect(struct http_request *r, const char *p, char wanted, enum state next)
{
    if (*p != wanted)
        return fail(r, p, 400);
    r->state = (uint8_t)next;
    return p + 1;
}

// Bytes of a kind, of any number, then one that can be nothing else.
static inline const char *skip(struct http_request *r, const char *p, const char *end, unsigned set,
                               char wanted, enum state next)
{
    while (p < end && is(*p, set))
        p++;
    return p < end ? expect(r, p, wanted, next) : p;
}

static inline void keep(struct http_request *r, const char *from, size_t length)
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

static inline struct slice slice_end(struct http_request *r, const char *from, const char *end)
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

static inline bool is_cut(struct slice slice)
{
    return slice.length == HTTP_TEXT_MAX;
}

struct word {
    const char *text; // in lower case
    size_t length;
};
#define WORD(literal) ((struct word){literal, sizeof(literal) - 1})

// Whether `slice`, in any case, is `word`.
static inline bool same(struct slice slice, struct word word)
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
