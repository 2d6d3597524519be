// Data that comes: in order to the program, its window and its acknowledgements (RFC 9293 section 3.10.7.4,
// seventh step; RFC 5681 section 4.2).
// SPDX-License-Identifier: MIT
#include "connection.h"

uint32_t bm_tcp_receive_room(const struct bm_tcp_connection *c)
{
    return c->receive_limit > c->unread ? c->receive_limit - c->unread : 0;
}

// The window has to hold two round trips of what the program takes, so that the peer's can grow (dynamic
// right-sizing, Fisk and Feng, 2001).
void bm_tcp_right_size(struct bm_tcp_connection *c)
{
    uint32_t rtt = c->receive_rtt ? c->receive_rtt : c->srtt, now = tcp_ms(c->shard);
    if (c->fixed_receive || now - c->round_ms < rtt / 1000 + 1)
        return;
    uint32_t wanted = tcp_min(2 * c->round_read, 1 << 29) + 16 * c->mss;
    wanted = tcp_min(tcp_min(wanted * 2, c->shard->limits.receive_max), 65535u << c->receive_scale);
    if (wanted > c->receive_limit && bm_tcp_memory_ample(c->shard))
        c->receive_limit = wanted;
    c->round_ms = now;
    c->round_read = 0;
}

void bm_tcp_consumed(struct bm_tcp_connection *c, size_t length)
{
    tcp_consumed(c, (uint32_t)length);
}

void bm_tcp_window_moved(struct bm_tcp_connection *c)
{
    uint32_t left = tcp_after(c->receive_edge, c->receive_next) ? c->receive_edge - c->receive_next : 0;
    uint32_t room = bm_tcp_receive_room(c);
    if (room >= left + tcp_min(2 * c->mss, c->receive_limit / 2) &&
        (left < c->receive_limit / 2 || left < 2 * c->mss))
        bm_tcp_send_ack(c);
}

void bm_tcp_deliver(struct bm_tcp_connection *c, const uint8_t *data, uint32_t length, void *owner)
{
    tcp_deliver(c, data, length, owner);
}

// At once: each second segment, and where something is or was missing. Else soon: what the program answers
// may carry it.
void bm_tcp_acknowledge_soon(struct bm_tcp_connection *c)
{
    c->unacknowledged_segments++;
    if (c->quick) {
        c->quick--;
        c->ack_now = true;
    } else if (c->unacknowledged >= 2u * c->mss || c->unacknowledged_segments >= 8 || c->parked) {
        c->ack_now = true;
    } else if (!c->ack_now && !c->due[DUE_ACK]) {
        bm_tcp_due_set(c, DUE_ACK, ACK_DELAY_MS);
    }
}

static void finish(struct bm_tcp_connection *c)
{
    c->fin_received = true;
    c->receive_next++;
    c->ack_now = true;
    bm_tcp_parked_free(c);
    bool waits = c->state == BM_TCP_FIN_WAIT_2;
    if (c->state == BM_TCP_ESTABLISHED) // before the program hears of it, which may close at once
        c->state = BM_TCP_CLOSE_WAIT;
    else if (c->state == BM_TCP_FIN_WAIT_1)
        c->state = BM_TCP_CLOSING;
    if (c->events && c->events->finished && !c->orphan)
        c->events->finished(c);
    if (!c->gone && waits)
        bm_tcp_wait_begin(c);
}

// RFC 3168 section 6.1.3.
static void congestion(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    if (segment->flags & TCP_CWR)
        c->ecn_echo = false;
    if (segment->congestion_experienced && c->ecn && !c->ecn_echo) {
        c->ecn_echo = true;
        c->ack_now = true;
    }
}

static bool takes_data(const struct bm_tcp_connection *c)
{
    return c->state >= BM_TCP_ESTABLISHED && c->state <= BM_TCP_FIN_WAIT_2 && !c->fin_received;
}

// An acceptable segment's data and FIN; it may begin before RCV.NXT and end beyond the window.
void bm_tcp_receive(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    uint32_t begin = segment->sequence, end = begin + segment->length, edge = c->receive_edge;
    bool fin = segment->flags & TCP_FIN;
    const uint8_t *data = segment->data;
    if (!segment->length && !fin)
        return;
    congestion(c, segment);
    if (!takes_data(c) || !tcp_after(end + fin, c->receive_next)) { // all of it is known
        c->duplicate = (struct bm_tcp_range){begin, segment->length ? end : begin};
        c->ack_now = true;
        return;
    }
    if (tcp_after(end, edge)) {
        end = edge;
        fin = false;
        c->ack_now = true;
        if (!tcp_after(end, begin))
            return;
    }
    if (tcp_before(begin, c->receive_next)) {
        if (begin != end)
            c->duplicate =
                (struct bm_tcp_range){begin, tcp_before(end, c->receive_next) ? end : c->receive_next};
        data += c->receive_next - begin;
        begin = c->receive_next;
        c->ack_now = true;
    }
    if (begin != c->receive_next) {
        c->ack_now = true;
        c->quick = QUICK_ACKS;
        if (end != begin)
            bm_tcp_park(c, begin, end, data, segment->owner);
        if (fin) {
            c->fin_parked = true;
            c->fin_at = end;
        }
        return;
    }
    if (end != begin) {
        bool gap = c->parked;
        bm_tcp_deliver(c, data, end - begin, segment->owner);
        if (!c->gone)
            bm_tcp_unpark(c);
        if (c->gone)
            return;
        if (c->last_ack_sent != c->receive_next) { // else what the program has answered carried it
            c->ack_now |= gap;                     // RFC 5681 section 4.2: what fills a gap
            bm_tcp_acknowledge_soon(c);
        }
    }
    if ((fin && c->receive_next == end) || (c->fin_parked && c->receive_next == c->fin_at))
        finish(c);
}
