// Connections whose way out is full: they wait in turn, and send on when there is room.
// SPDX-License-Identifier: MIT
#include "connection.h"

void bm_tcp_full(struct bm_tcp_connection *c, unsigned way)
{
    c->way = (uint8_t)way;
    c->shard->full |= 1u << way;
}

bool bm_tcp_room_wait(struct bm_tcp_connection *c)
{
    struct bm_tcp_shard *shard = c->shard;
    if (!(shard->full & 1u << c->way))
        return false;
    if (c->waits)
        return true;
    c->waits = true;
    c->wait_next = NULL;
    c->wait_previous = shard->room_last;
    *(shard->room_last ? &shard->room_last->wait_next : &shard->room_first) = c;
    shard->room_last = c;
    return true;
}

// Its way may be another one now: it will hear of that when it has sent.
void bm_tcp_room_forget(struct bm_tcp_connection *c)
{
    struct bm_tcp_shard *shard = c->shard;
    c->way = 0;
    if (!c->waits)
        return;
    c->waits = false;
    *(c->wait_previous ? &c->wait_previous->wait_next : &shard->room_first) = c->wait_next;
    *(c->wait_next ? &c->wait_next->wait_previous : &shard->room_last) = c->wait_previous;
}

// Who fills the way again waits behind all others.
void bm_tcp_room(struct bm_tcp_shard *shard, unsigned way)
{
    bm_tcp_enter(shard);
    shard->full &= ~(1u << way);
    for (struct bm_tcp_connection *c = shard->room_first, *next; c && !(shard->full & 1u << way); c = next) {
        next = c->wait_next;
        if (c->way != way)
            continue;
        bm_tcp_room_forget(c);
        c->way = (uint8_t)way;
        bm_tcp_hold(c);
        bm_tcp_output(c);
        bm_tcp_drop(c);
    }
}
