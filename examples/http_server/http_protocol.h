// HTTP/1.1 (RFC 9110, RFC 9112): bytes in, in portions of any size; what to answer out. No I/O, no heap.
// SPDX-License-Identifier: MIT
//
// A request needs no buffer of its own length: what is not needed is looked at and forgotten, byte by byte,
// so a connection that sends a head of 16 KiB costs as much memory as one that sends 40 bytes.
#pragma once

#include "site.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_LINE_MAX = 8192,     // bytes of a request line: more is answered with 414
    HTTP_HEAD_MAX = 16384,    // bytes of a request's head: more is answered with 431
    HTTP_FIELDS_MAX = 100,    // header fields of a request: more are answered with 431
    HTTP_BODY_MAX = 65536,    // bytes of a request's body (read and ignored): more are answered with 413
    HTTP_FRAMING_MAX = 16384, // bytes of chunk sizes, extensions and trailers: more are answered with 413
    HTTP_TEXT_MAX = 256,      // paths and header values that are compared with anything are shorter
    HTTP_RESPONSE_MAX = 8192  // room that http_response_make needs; bound on rendered pages too
};

enum http_connection {
    HTTP_KEEP,
    HTTP_KEEP_TOLD,
    HTTP_CLOSE
}; // TOLD: HTTP/1.0 wants to hear that it stays open

struct http_request {
    const struct site *site;
    const struct site_page *page; // what the path names
    uint64_t body_left;           // bytes of the body (or chunk) to come
    uint32_t counted;             // bytes of the head, later of chunk framing
    uint32_t body_read;           // bytes of chunks so far
    uint16_t status;              // of the answer, once `done`
    uint16_t fields;              // header fields so far
    uint16_t text_length;         // bytes in `text`
    uint8_t state;
    uint8_t method;
    uint8_t minor; // of HTTP/1.x
    uint8_t field; // header field being read
    uint8_t match; // characters matched of a fixed text, digits seen, …
    uint8_t digit; // first of the two of a percent escape
    uint8_t connection;
    uint8_t hosts;
    bool done;      // the answer is settled: make it, then reset
    bool head_only; // HEAD: the answer has no body
    bool wants_close, wants_keep;
    bool has_length, chunked, expects_continue, unchanged;

    // Stays from one request to the next: the last one's bytes in `text` (0: none) and what came of them.
    const struct site_page *repeat_page;
    uint16_t repeat_length, repeat_status;
    uint8_t repeat_connection;
    bool repeat_head_only;
    char text[HTTP_TEXT_MAX]; // start of a method, path, field name or value that has not ended yet;
                              // unescaped path
};

// Begins with a connection's first request.
void http_request_init(struct http_request *request, const struct site *site);

// Begins the next request of the same connection.
void http_request_reset(struct http_request *request);

// Takes bytes. Returns how many it used: all of them, or fewer when the request is done. Call again with the
// rest after http_request_reset (pipelining), unless the answer closes the connection.
size_t http_request_feed(struct http_request *request, const char *data, size_t size);

// Whether nothing of the request has come yet.
static inline bool http_request_idle(const struct http_request *request)
{
    return request->counted == 0 && request->state == 0;
}

// Ends a request that has not come to its end in time: done, with status 408.
void http_request_expire(struct http_request *request);

// The statuses that an answer can have, numbered from 0.
enum { HTTP_STATUSES = 13 };

// The status of a number below HTTP_STATUSES.
unsigned http_status_code(unsigned number);

// The number of a status; HTTP_STATUSES for one that no answer has.
unsigned http_status_number(unsigned code);

struct http_response {
    uint16_t status;
    bool close;         // close the connection after it
    size_t head_length; // bytes in the buffer: the head, and the body where that is not a file
    const char *body;   // the rest: part of the image, need not be copied
    size_t body_length;
};

// Writes the answer of a request that is done into buffer[size], size at least HTTP_RESPONSE_MAX.
struct http_response http_response_make(const struct http_request *request, const char date[TEXT_DATE_LENGTH],
                                        char *buffer, size_t size);
