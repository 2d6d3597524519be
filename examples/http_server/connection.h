// A connection of the server and what all of them share. Under lwIP's core lock.
// SPDX-License-Identifier: MIT
#pragma once

#include "clients.h"
#include "http_protocol.h"
#include "server_raw.h"

#include <lwip/altcp.h>
#include <lwip/pbuf.h>

// FRESH: the last answer was given to lwIP within a second; IDLE: and the client has taken it since, or asked
// for nothing yet; SENDING: it is slower; DRAINING: our end is under way or has come.
enum queue_name { FRESH, IDLE, READING, SENDING, DRAINING, QUEUES };

struct connection {
    struct altcp_pcb *pcb;
    struct connection *next, *previous; // in its queue
    struct pbuf *input;                 // received, not looked at
    uint16_t input_offset;              // bytes of its first buffer that were
    uint8_t queue;
    bool ended;      // the client has ended its side
    bool closing;    // after this answer
    bool shut;       // our side is ended
    uint32_t since;  // number of the sweep after which it entered its queue
    uint32_t queued; // bytes that lwIP has taken and the client has not
    uint32_t taken;  // by the client since the last sweep; as `late` and `speed`, counted while SENDING
    uint64_t late;   // bytes that it is behind the least rate
    uint32_t speed;  // bytes a second, of the last seconds
    uint32_t number; // among all connections
    struct client *client;
    const char *body; // of the answer being sent: what lwIP has not taken yet
    size_t body_length;
    struct http_request request; // last: it begins by http_request_init
};

struct queue {
    struct connection *first, *last;
};

struct server {
    const struct site *site;
    struct server_options options;
    struct server_counters counters;
    struct queue queues[QUEUES];
    struct connection **all; // counters.open of them
    uint32_t looked_at;      // number of the last one that make_room has looked at
    uint32_t sweeps;         // one a second
    char date[TEXT_DATE_LENGTH];
    char answer[HTTP_RESPONSE_MAX];
};
extern struct server server;

// connection_room.c: the one that will be missed least, of some; NULL when the newcomer is to give way.
struct connection *connection_dispensable(const struct client *newcomer);
