// Which connection gives way to a new one when all are taken.
// SPDX-License-Identifier: MIT
//
// Not all are looked at: of some dozens, who has many connections is found as surely as he has many.
#include "connection.h"

enum {
    LOOKED_AT = 32,      // connections
    LATE_SECONDS = 3,    // behind the least rate: of its client's, it goes first
    PATIENCE_SECONDS = 5 // for which an answer that is not late goes on before it may give way to an equal
};

// What would be lost with it: the later, the less.
enum worth { NEW_ANSWER, ANSWER, QUESTION, END, REST, LATE };

static enum worth worth_of(const struct connection *c)
{
    if (c->queue == SENDING && c->late >= LATE_SECONDS * server.options.rate)
        return LATE;
    if (c->queue == SENDING && server.sweeps - c->since >= PATIENCE_SECONDS)
        return ANSWER;
    if (c->queue == SENDING || c->queued > 0)
        return NEW_ANSWER;
    return c->queue == READING ? QUESTION : c->queue == DRAINING ? END : REST;
}

// The logarithm of how many connections its client has.
static uint32_t rank_of(const struct client *client)
{
    return 31u - (uint32_t)__builtin_clz(client->connections);
}

// The higher, the sooner it gives way: by how many its client has, then by what would be lost, then by how
// late, slow or old it is.
static uint32_t height_of(const struct connection *c)
{
    const uint32_t most = (1 << 20) - 1;
    const enum worth worth = worth_of(c);
    uint64_t third = worth == LATE ? c->late : server.sweeps - c->since;
    if (worth == ANSWER)
        third = most - (c->speed < most ? c->speed : most);
    return rank_of(c->client) << 24 | (uint32_t)worth << 20 | (uint32_t)(third < most ? third : most);
}

struct connection *connection_dispensable(const struct client *newcomer)
{
    struct connection *least = NULL;
    uint32_t highest = 0;
    for (unsigned i = 0; i < LOOKED_AT && i < server.counters.open; i++) {
        if (++server.looked_at >= server.counters.open)
            server.looked_at = 0;
        struct connection *c = server.all[server.looked_at];
        const uint32_t height = height_of(c);
        if (least == NULL || height > highest) {
            least = c;
            highest = height;
        }
    }
    // An answer that has just begun is not broken off for one of a client with no fewer connections.
    if (least != NULL && worth_of(least) == NEW_ANSWER && rank_of(least->client) <= rank_of(newcomer))
        return NULL;
    return least;
}
