// Text put together in a buffer, piece by piece, without the C library's printf.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A buffer that fills up. When a piece does not fit it is left out and `full` is set: check it once at the
// end.
struct text {
    char *start;
    size_t length;
    size_t size;
    bool full;
};

static inline struct text text_begin(char *buffer, size_t size)
{
    struct text text; // one by one: a compiler that saves bytes would clear it first
    text.start = buffer;
    text.size = size;
    text.length = 0;
    text.full = false;
    return text;
}

void text_bytes(struct text *text, const char *bytes, size_t length);
void text_string(struct text *text, const char *string);
void text_number(struct text *text, uint64_t number);

// The date of HTTP (RFC 9110 section 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT", for seconds since 1970. Not
// terminated.
enum { TEXT_DATE_LENGTH = 29 };
void text_date(char date[TEXT_DATE_LENGTH], uint64_t seconds);
