// The server: connections on lwIP's raw API, answers from a site.
// SPDX-License-Identifier: MIT
#pragma once

#include "http_protocol.h"

#include <stddef.h>
#include <stdint.h>

struct server_options {
    unsigned port;             // 1 … 65535
    unsigned connections;      // most at a time: then one of a client with many of them gives way
    unsigned idle_seconds;     // between two requests of a connection
    unsigned head_seconds;     // from a request's first byte to its last: 408 after it
    unsigned progress_seconds; // that a client may be behind taking `rate` bytes of its answers a second
    unsigned rate;             // at least SERVER_RATE_MIN
    size_t send_memory;        // bytes for answers on their way, shared by the connections
};

enum {
    SERVER_RATE_MIN = 16, // below, a page would last for minutes
    SERVER_RATE_MAX = 1000000
};

struct server_counters {
    uint64_t requests[HTTP_STATUSES + 1]; // answered, by http_status_number(); the last: by others
    uint64_t accepted;                    // connections
    uint64_t open;                        // connections now
    uint64_t evicted;                     // closed to make room
    uint64_t expired;                     // closed by a time-out
    uint64_t refused;                     // not taken for want of memory or room
    uint64_t sent;                        // bytes of answers given to the network
};

// Listens on every address, IPv4 and IPv6. Once; the site stays unchanged from then on. `now` is in seconds
// since 1970. Returns 0 or a negative err_t of lwIP. With lwIP's core lock held, as all functions here.
int server_start(const struct site *site, const struct server_options *options, uint64_t now);

// To be called once a second: time-outs and the Date of the answers.
void server_sweep(uint64_t now);

// Figures since the start.
const struct server_counters *server_counters_get(void);
