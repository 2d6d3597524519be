// What goes out: data within both windows, repetitions, acknowledgements (RFC 9293 section 3.8.6, 3.10.2).
// SPDX-License-Identifier: MIT
#include "plain.h"

#include <string.h>

uint32_t bm_tcp_unsent(const struct bm_tcp_connection *c)
{
    return tcp_after(c->data_end, c->next) ? c->data_end - c->next : 0;
}

// RFC 2018 section 4, RFC 2883: a duplicate first, then what was touched last.
static uint8_t *put_sacks(struct bm_tcp_connection *c, uint8_t *to)
{
    unsigned room = c->timestamps ? 3 : 4, count = 0;
    struct bm_tcp_range ranges[SACK_BLOCKS];
    if (c->duplicate.begin != c->duplicate.end)
        ranges[count++] = c->duplicate;
    for (unsigned i = 0; i < c->sack_count && count < room; i++)
        ranges[count++] = c->sack_ranges[i];
    c->duplicate.begin = c->duplicate.end = 0;
    if (!c->sack || !count)
        return to;
    to = bm_tcp_put32(to, 0x01010500u | (2 + 8 * count));
    for (unsigned i = 0; i < count; i++)
        to = bm_tcp_put32(bm_tcp_put32(to, ranges[i].begin), ranges[i].end);
    return to;
}

// A segment with ACK carries all that was to be acknowledged.
static inline uint8_t *begin(struct bm_tcp_connection *c, struct bm_tcp_frame *frame, uint32_t sequence,
                             uint8_t flags, bool has_data)
{
    flags |= TCP_ACK;
    if (c->ecn && c->ecn_echo)
        flags |= TCP_ECE;
    bm_tcp_begin_header(frame, &c->node.tuple, sequence, c->receive_next, flags, tcp_offer(c));
    frame->connection = c;
    frame->interface = c->interface;
    // Data has no SACK with it, and is no duplicate acknowledgement: that one goes behind it (RFC 2018
    // section 4).
    c->ack_now = c->ack_now && has_data && (c->parked || c->duplicate.begin != c->duplicate.end);
    c->unacknowledged = c->unacknowledged_segments = 0;
    c->last_ack_sent = c->receive_next;
    bm_tcp_due_clear(c, DUE_ACK);
    return tcp_put_times(c, frame->header + 20);
}

void bm_tcp_send_ack(struct bm_tcp_connection *c)
{
    struct bm_tcp_frame frame;
    uint8_t *to = begin(c, &frame, c->next, 0, false);
    bm_tcp_finish_header(c->shard, &frame, put_sacks(c, to));
}

void bm_tcp_send_reset(struct bm_tcp_connection *c)
{
    struct bm_tcp_frame frame;
    if (c->state == BM_TCP_SYN_SENT || c->state == BM_TCP_CLOSED)
        return; // the peer knows of nothing
    c->shard->counters.resets_out++;
    uint8_t *to = begin(c, &frame, c->next, TCP_RST, false);
    bm_tcp_finish_header(c->shard, &frame, to);
}

// SYN, or SYN-ACK of a simultaneous opening.
void bm_tcp_send_syn(struct bm_tcp_connection *c)
{
    struct bm_tcp_frame frame;
    bool answer = c->state == BM_TCP_SYN_RECEIVED;
    uint8_t flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN;
    if (!answer && c->shard->limits.ecn && c->retries < 2)
        flags |= TCP_ECE | TCP_CWR; // RFC 3168 section 6.1.1; some routers drop it
    struct bm_tcp_syn_options options = {.mss = c->mss_peer,
                                         .sack = c->sack,
                                         .timestamps = c->timestamps,
                                         .scale = c->no_scale ? 255 : c->receive_scale,
                                         .time = c->shard->ms + c->time_offset,
                                         .echo = c->their_time};
    uint32_t window = tcp_min(bm_tcp_receive_room(c), 65535);
    bm_tcp_begin_header(&frame, &c->node.tuple, c->iss, c->receive_next, flags, window);
    frame.connection = c;
    frame.interface = c->interface;
    c->receive_edge = c->receive_next + window;
    bm_tcp_finish_header(c->shard, &frame, bm_tcp_put_syn_options(frame.header + 20, &options));
}

// Names the data of a segment from a piece on; less than asked for where it is in too many pieces.
static uint32_t gather(struct bm_tcp_frame *frame, struct bm_tcp_piece *piece, uint32_t offset,
                       uint32_t length)
{
    uint32_t found = 0;
    for (; piece && found < length && frame->count < BM_TCP_FRAME_PIECES; piece = piece->next) {
        if (offset >= piece->length) {
            offset -= piece->length;
            continue;
        }
        uint32_t part = tcp_min(piece->length - offset, length - found);
        frame->pieces[frame->count].data = piece->data + offset;
        frame->pieces[frame->count].length = part;
        frame->pieces[frame->count++].piece = piece;
        found += part;
        offset = 0;
    }
    frame->length = found;
    return found;
}

static void send_data(struct bm_tcp_connection *c, struct bm_tcp_frame *frame, uint8_t *end, bool is_new)
{
    frame->more = tcp_before(c->next, c->data_end) || c->lost;
    frame->ecn_capable = c->ecn && is_new && frame->length; // RFC 3168 section 6.1.5
    if (c->ecn && is_new && frame->length && c->ecn_reduced) {
        frame->header[13] |= TCP_CWR;
        c->ecn_reduced = false;
    }
    c->shard->counters.bytes_out += frame->length;
    bm_tcp_finish_header(c->shard, frame, end);
}

bool bm_tcp_send_again(struct bm_tcp_connection *c, struct bm_tcp_sent *sent)
{
    struct bm_tcp_frame frame;
    uint32_t length = sent->end - sent->begin, fin = sent->flags & SENT_FIN ? 1 : 0;
    if (length - fin > c->mss) {
        if (!bm_tcp_sent_split(c, sent, c->mss))
            return false;
        length = c->mss;
        fin = 0;
    }
    uint8_t *end = begin(c, &frame, sent->begin, (uint8_t)(TCP_PSH | (fin ? TCP_FIN : 0)), true);
    gather(&frame, sent->piece, sent->offset, length - fin);
    send_data(c, &frame, end, false);
    c->shard->counters.retransmitted++;
    c->retransmitted++;
    sent->flags |= sent->flags & SENT_AGAIN ? SENT_TWICE : SENT_AGAIN;
    c->undo_left++;
    bm_tcp_sent_now(c, sent);
    return true;
}

static void advance_unsent(struct bm_tcp_connection *c, uint32_t length)
{
    c->unsent_offset += length;
    while (c->unsent && c->unsent_offset >= c->unsent->length && c->unsent->next) {
        c->unsent_offset -= c->unsent->length;
        c->unsent = c->unsent->next;
    }
}

// A segment of what was not sent yet, of at most `allowed` bytes; with the FIN if it is the last.
bool bm_tcp_send_new(struct bm_tcp_connection *c, uint32_t allowed)
{
    struct bm_tcp_frame frame;
    uint32_t edge = c->una + c->peer_window, unsent = bm_tcp_unsent(c);
    uint32_t room = tcp_before(c->next, edge) ? edge - c->next : 0;
    uint32_t length = tcp_min(tcp_min(unsent, room), tcp_min(c->mss, allowed));
    bool fin_waits = c->fin_queued && c->next != c->data_end + 1;
    if (!length && (unsent || !fin_waits))
        return false;
    struct bm_tcp_sent *sent = bm_tcp_sent_add(c, c->next, c->next + length);
    if (!sent) {
        if (!c->sent) // nothing is on its way whose acknowledgement would bring us here again
            bm_tcp_due_set(c, DUE_RETRANSMIT, RTO_MIN_MS);
        return false;
    }
    uint8_t *end = begin(c, &frame, c->next, 0, true);
    uint32_t found = gather(&frame, c->unsent, c->unsent_offset, length);
    c->in_flight -= length - found;
    sent->end -= length - found;
    if (c->next + found == c->data_end) {
        frame.header[13] |= TCP_PSH;
        if (fin_waits) {
            frame.header[13] |= TCP_FIN;
            sent->flags |= SENT_FIN;
            sent->end++;
            c->in_flight++;
        }
    }
    c->next = sent->end;
    advance_unsent(c, found);
    send_data(c, &frame, end, true);
    return true;
}

// Nagle's algorithm as Minshall changed it for us by FIN and push; `hold_back`: the program has more.
static bool worth_sending(const struct bm_tcp_connection *c)
{
    uint32_t unsent = bm_tcp_unsent(c), edge = c->una + c->peer_window;
    uint32_t room = tcp_before(c->next, edge) ? edge - c->next : 0;
    if (!unsent)
        return c->fin_queued && c->next == c->data_end;
    if (room < tcp_min(unsent, c->mss)) // RFC 9293 section 3.8.6.2.1: small pieces of a window are not used
        return room && (room >= c->peer_window_max / 2 || !c->sent);
    if (unsent >= c->mss || c->fin_queued)
        return true;
    return !c->hold_back && (c->nodelay || !c->sent);
}

// One segment, the most urgent: what is lost, then what is new.
static bool send_one(struct bm_tcp_connection *c)
{
    uint32_t flight = tcp_flight(c);
    // The window holds whole segments: what is less than one is kept for the next.
    if (flight && flight + c->mss > c->window)
        return false;
    struct bm_tcp_sent *lost = bm_tcp_sent_first_lost(c);
    if (c->shard->full && (lost || worth_sending(c)) && bm_tcp_room_wait(c))
        return false;
    if ((lost || worth_sending(c)) && bm_tcp_pace_wait(c)) {
        c->limited = true;
        return false;
    }
    uint32_t before = c->prr_out;
    bool sent = false;
    if (lost) {
        uint32_t length = lost->end - lost->begin;
        sent = bm_tcp_send_again(c, lost);
        if (sent)
            c->prr_out += tcp_min(length, c->mss);
    } else if (worth_sending(c)) {
        uint32_t from = c->next;
        sent = bm_tcp_send_new(c, c->mss);
        c->prr_out += c->next - from;
    }
    bm_tcp_paced(c, c->prr_out - before);
    return sent && c->prr_out != before;
}

// A number that was acknowledged already, without data (RFC 9293 section 3.8.4, 3.8.6.1): the answer says
// what the window is. A byte beyond the window could be taken by a peer whose opening was lost, and would
// have to be kept.
void bm_tcp_send_probe(struct bm_tcp_connection *c)
{
    struct bm_tcp_frame frame;
    uint8_t *to = begin(c, &frame, c->una - 1, 0, false);
    bm_tcp_finish_header(c->shard, &frame, to);
}

void bm_tcp_output(struct bm_tcp_connection *c)
{
    if (c->gone || c->state < BM_TCP_ESTABLISHED)
        return;
    c->limited = false;
    if (c->next == c->data_end && !c->fin_queued && !c->lost) { // nothing to send
        if (c->ack_now)
            bm_tcp_send_ack(c);
        return;
    }
    if (!c->sent && c->last_sent && c->shard->now - c->last_sent > (uint64_t)c->rto_ms * 1000 &&
        bm_tcp_unsent(c))
        bm_tcp_congestion_idle(c);
    bool any = false;
    while (send_one(c)) {
        any = true;
        if (c->next == c->data_end && !c->fin_queued && !c->lost)
            break;
    }
    if (any) {
        if (!c->due[DUE_RETRANSMIT] || c->probing)
            bm_tcp_retransmit_arm(c);
        bm_tcp_tail_arm(c);
    } else if (!c->sent && !c->waits && (bm_tcp_unsent(c) || (c->fin_queued && c->next == c->data_end)) &&
               !c->due[DUE_RETRANSMIT] && !c->hold_back) {
        if (!c->probing)
            c->progress_ms = tcp_ms(c->shard);
        c->probing = true; // the window is closed, and nothing is on its way that would bring its opening
        bm_tcp_due_set(c, DUE_RETRANSMIT, c->rto_ms);
    }
    if (c->ack_now)
        bm_tcp_send_ack(c);
}
