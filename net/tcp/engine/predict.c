// Header prediction (Jacobson, 1990): the segment that is expected next takes a fast path.
// SPDX-License-Identifier: MIT
//
// What is taken: data in order, or an acknowledgement of what is on its way; no flag but ACK and PSH, no
// option but timestamps; a connection on which nothing unusual goes on. Each step does what input.c,
// acknowledge.c and receive.c do for such a segment, and leaves out what cannot be.
#include "plain.h"
#include "table.h"

enum { TIMES = 0x0101080a };

// Whether its header is of the kind that is taken; what is not written here is read of other kinds alone.
static inline bool read_header(const struct bm_tcp_packet *packet, struct bm_tcp_segment *segment)
{
    const uint8_t *bytes = packet->bytes;
    uint32_t header = TCP_PLAIN;
    unsigned kind = bm_tcp_get16(bytes + 12) & ~TCP_PSH;
    if (kind == (TCP_TIMED << 10 | TCP_ACK) && packet->size >= TCP_TIMED &&
        bm_tcp_get32(bytes + 20) == TIMES) {
        header = TCP_TIMED;
        segment->time = bm_tcp_get32(bytes + 24);
        segment->echo = bm_tcp_get32(bytes + 28);
    } else if (kind != (TCP_PLAIN << 10 | TCP_ACK)) {
        return false;
    }
    segment->timestamps = header == TCP_TIMED;
    segment->sequence = bm_tcp_get32(bytes + 4);
    segment->acknowledgement = bm_tcp_get32(bytes + 8);
    segment->flags = TCP_ACK;
    segment->window = bm_tcp_get16(bytes + 14);
    segment->sack_count = 0;
    segment->congestion_experienced = false;
    segment->data = bytes + header;
    segment->length = (uint32_t)(packet->size - header);
    segment->owner = packet->owner;
    return true;
}

// A connection that neither repairs a loss nor waits for what is missing nor ends.
static inline bool nothing_unusual(const struct bm_tcp_connection *c)
{
    return c->state == BM_TCP_ESTABLISHED && c->recovery == BM_TCP_OPEN &&
           !(c->fin_queued | c->fin_parked | c->probing | c->rack.tail_probe | c->gone) &&
           !(c->lost | c->sacked | c->reno_sacked) && !c->parked;
}

static inline bool is_expected(const struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    uint32_t news = segment->acknowledgement - c->una;
    return segment->sequence == c->receive_next && news <= c->next - c->una && (news || segment->length) &&
           (int32_t)(c->receive_edge - c->receive_next) >= (int32_t)segment->length &&
           segment->timestamps == c->timestamps &&
           (!c->timestamps || !tcp_before(segment->time, c->their_time)) && nothing_unusual(c);
}

// RFC 7323 section 4.3; the peer's clock tells how long our acknowledgements take (receive.c, right_size).
static inline void take_times(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    const struct bm_tcp_shard *shard = c->shard;
    if (!c->timestamps || segment->sequence != c->last_ack_sent)
        return;
    c->their_time = segment->time;
    c->their_time_ms = tcp_ms(shard);
    uint32_t ms = shard->ms + c->time_offset - segment->echo;
    if (segment->length && segment->echo && ms < RTT_MAX_US / 1000)
        c->receive_rtt = c->receive_rtt ? (7 * c->receive_rtt + 1000 * ms) / 8 : 1000 * ms;
}

// The only segment on its way has arrived, and was sent once: acknowledge.c without what has to do with
// others.
static inline bool is_only_one(const struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    const struct bm_tcp_sent *sent = c->sent;
    return segment->acknowledgement == c->next && sent && sent == c->sent_last &&
           sent->flags == SENT_FLYING && c->loss_timer != LOSS_REORDER;
}

static inline void take_window(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    c->wl1 = segment->sequence;
    c->wl2 = segment->acknowledgement;
    c->peer_window = (uint32_t)segment->window << c->send_scale;
    c->peer_window_max = tcp_max(c->peer_window_max, c->peer_window);
}

static inline void advance(struct bm_tcp_connection *c, uint32_t length)
{
    c->una = c->next;
    c->retries = 0;
    c->black_hole = 0;
    c->progress_ms = tcp_ms(c->shard);
    if (!tcp_before(c->una, c->recovery_end))
        c->recovery_end = c->una;
    if (!tcp_before(c->una, c->rack.round))
        c->rack.round = c->una;
    struct bm_tcp_piece *piece = c->pieces;
    if (piece && piece == c->pieces_last && c->pieces_offset + length == piece->length) {
        c->pieces = c->pieces_last = c->unsent = NULL;
        c->pieces_offset = c->unsent_offset = 0;
        tcp_piece_drop(piece);
    } else {
        bm_tcp_pieces_acknowledged(c, length);
    }
    uint32_t wanted = 2 * tcp_max(c->window, c->peer_window / 4) + SEND_FIRST;
    wanted = tcp_min(wanted, c->shard->limits.send_max);
    if (!c->fixed_send && wanted > c->send_limit && bm_tcp_memory_ample(c->shard))
        c->send_limit = wanted;
    if (c->events && c->events->acknowledged)
        c->events->acknowledged(c, length);
}

static inline void acknowledge_only(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    struct bm_tcp_sent *sent = c->sent;
    uint32_t length = c->in_flight, rtt = tcp_max((uint32_t)(c->shard->now - sent->time), 1);
    take_window(c, segment);
    bm_tcp_rack_delivered(c, sent, segment);
    c->sent = c->sent_last = c->flying = c->flying_last = NULL;
    c->in_flight = 0;
    if (tcp_spare_give(c->shard, sent))
        c->shard->memory -= sizeof *sent;
    else
        bm_tcp_free(c->shard, sent, sizeof *sent);
    advance(c, length);
    if (c->gone)
        return;
    bm_tcp_rtt_sample(c, rtt);
    bm_tcp_congestion_rtt(c, rtt);
    c->duplicates = 0;
    if (length + 3 * c->mss >= c->window || (c->window < c->threshold && 2 * length >= c->window))
        bm_tcp_congestion_grow(c, length);
    if (!c->sent) {
        bm_tcp_due_clear(c, DUE_RETRANSMIT);
        bm_tcp_due_clear(c, DUE_LOSS);
        c->loss_timer = LOSS_NONE;
        return;
    }
    bm_tcp_retransmit_arm(c);
    bm_tcp_tail_arm(c);
}

static inline void take(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    c->heard_ms = tcp_ms(c->shard);
    c->keep_sent = 0;
    take_times(c, segment);
    if (segment->acknowledgement == c->una && !c->sent)
        take_window(c, segment);
    else if (is_only_one(c, segment))
        acknowledge_only(c, segment);
    else
        bm_tcp_acknowledged(c, segment);
    if (segment->length && !c->gone) {
        // The event before may have shut the connection, or closed it.
        if (c->state != BM_TCP_ESTABLISHED || c->orphan) {
            bm_tcp_receive(c, segment);
        } else {
            tcp_deliver(c, segment->data, segment->length, segment->owner);
            if (!c->gone && c->last_ack_sent != c->receive_next)
                bm_tcp_acknowledge_soon(c);
        }
    }
    if (!c->gone && (c->next != c->data_end || c->fin_queued | c->ack_now || c->lost))
        bm_tcp_output(c);
}

bool bm_tcp_input_predicted(struct bm_tcp_shard *shard, const struct bm_tcp_packet *packet)
{
    struct bm_tcp_segment segment;
    if (packet->size < TCP_PLAIN || packet->congestion_experienced || !read_header(packet, &segment))
        return false;
    struct bm_tcp_node *node = tcp_find(shard, &packet->tuple);
    if (!node || node->kind != BM_TCP_KIND_CONNECTION)
        return false;
    struct bm_tcp_connection *c = (struct bm_tcp_connection *)node;
    if ((c->interface && c->interface != packet->interface) || !is_expected(c, &segment))
        return false;
    tcp_enter(shard);
    shard->counters.segments_in++;
    bool inside = shard->inside;
    shard->inside = true;
    c->holds++;
    take(c, &segment);
    if (!--c->holds && c->gone)
        bm_tcp_free(shard, c, sizeof *c);
    shard->inside = inside;
    return true;
}
