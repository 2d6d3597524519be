// Data that is one segment, while nothing is on its way: output.c without what has to do with others.
// SPDX-License-Identifier: MIT
#pragma once

#include "connection.h"

enum { TCP_PLAIN = 20, TCP_TIMED = 32 }; // sizes of a header, without options and with timestamps

// The window in a header. It opens in steps of a segment or half of the buffer (RFC 9293 section 3.8.6.2.2,
// SWS avoidance). A field that is cut off at the scale takes nothing back: what was promised is still taken
// (RFC 7323 section 2.4). Rounded up, the edge would move on with each segment that is no multiple of it,
// whatever the program reads.
static inline uint32_t tcp_offer(struct bm_tcp_connection *c)
{
    uint32_t room = c->receive_limit > c->unread ? c->receive_limit - c->unread : 0, scale = c->receive_scale;
    uint32_t promised = tcp_before(c->receive_next, c->receive_edge) ? c->receive_edge - c->receive_next : 0;
    if (room < promised + tcp_min(c->mss, c->receive_limit / 2))
        return tcp_min(promised >> scale, 65535);
    uint32_t field = tcp_min(room >> scale, 65535);
    if (field << scale > promised)
        c->receive_edge = c->receive_next + (field << scale);
    return field;
}

static inline uint8_t *tcp_put_times(const struct bm_tcp_connection *c, uint8_t *to)
{
    if (!c->timestamps)
        return to;
    to = bm_tcp_put32(to, 0x0101080a);
    to = bm_tcp_put32(to, c->shard->ms + c->time_offset);
    return bm_tcp_put32(to, c->their_time);
}

// Writes what the caller has made a piece of (data, length, given, done, argument), of less than a segment,
// where nothing else waits for its acknowledgement; it may be written, and waits for more. False: it is not
// so.
static inline bool tcp_write_first(struct bm_tcp_connection *c, struct bm_tcp_piece *piece)
{
    struct bm_tcp_shard *shard = c->shard;
    if (c->pieces || piece->length >= c->mss || shard->memory + piece->given > shard->limits.memory)
        return false;
    shard->memory += piece->given;
    piece->next = NULL;
    piece->shard = shard;
    piece->room = 0;
    piece->references = 1;
    c->pieces = c->pieces_last = c->unsent = piece;
    c->unsent_offset = 0;
    c->data_end += piece->length;
    c->hold_back = true;
    return true;
}

// One piece's data, while nothing is lost, both windows and the device have room, and nothing is on its way
// that pacing would keep it apart from.
static inline bool tcp_is_plain(const struct bm_tcp_connection *c)
{
    uint32_t length = c->data_end - c->next;
    bool waits = c->fin_queued | c->hold_back | c->ecn | c->probing,
         fits = length <= c->mss && length <= c->peer_window,
         is_alone =
             !c->sent && !c->parked && c->recovery == BM_TCP_OPEN && c->duplicate.begin == c->duplicate.end;
    return is_alone && !waits && fits && !c->shard->full && c->unsent_offset + length <= c->unsent->length;
}

// The segment is on its way now. False: no memory.
static inline bool tcp_plain_begin(struct bm_tcp_connection *c)
{
    struct bm_tcp_shard *shard = c->shard;
    struct bm_tcp_sent *sent;
    if (shard->spare && shard->memory + sizeof *sent <= shard->limits.memory) {
        shard->memory += sizeof *sent;
        sent = tcp_spare_take(shard);
    } else if (!(sent = bm_tcp_allocate(shard, sizeof *sent))) {
        return false;
    }
    c->progress_ms = tcp_ms(shard);
    *sent = (struct bm_tcp_sent){.time = shard->now,
                                 .piece = c->unsent,
                                 .begin = c->next,
                                 .end = c->data_end,
                                 .offset = c->unsent_offset,
                                 .flags = SENT_FLYING};
    c->sent = c->sent_last = c->flying = c->flying_last = sent;
    c->in_flight = c->data_end - c->next;
    c->prr_out += c->in_flight;
    c->last_sent = shard->now;
    return true;
}

// Its header, which acknowledges what was to be; returns the size.
static inline unsigned tcp_plain_header(struct bm_tcp_connection *c, uint8_t *header)
{
    uint32_t window = tcp_min(tcp_offer(c), 65535);
    uint8_t *to = bm_tcp_put16(header, c->node.tuple.local_port);
    to = bm_tcp_put16(to, c->node.tuple.remote_port);
    to = bm_tcp_put32(bm_tcp_put32(to, c->next), c->receive_next);
    to = bm_tcp_put32(to, (c->timestamps ? 8u : 5u) << 28 | (TCP_ACK | TCP_PSH) << 16 | window);
    to = bm_tcp_put32(to, 0);
    c->ack_now = false;
    c->unacknowledged = c->unacknowledged_segments = 0;
    c->last_ack_sent = c->receive_next;
    bm_tcp_due_clear(c, DUE_ACK);
    return (unsigned)(tcp_put_times(c, to) - header);
}

static inline void tcp_plain_end(struct bm_tcp_connection *c)
{
    struct bm_tcp_shard *shard = c->shard;
    c->next = c->data_end;
    c->unsent_offset += c->in_flight;
    shard->counters.bytes_out += c->in_flight;
    shard->counters.segments_out++;
    if (!c->due[DUE_RETRANSMIT])
        tcp_due_set(c, DUE_RETRANSMIT, tcp_min(c->rto_ms << tcp_min(c->retries, 10), RTO_MAX_MS));
    bm_tcp_tail_arm(c);
}
