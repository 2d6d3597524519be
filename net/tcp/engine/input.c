// A segment finds its connection, and is judged: RFC 9293 section 3.10.7, RFC 5961, RFC 7323 section 5.
// SPDX-License-Identifier: MIT
#include "connection.h"

enum { APART_MS = 500, ANSWERS_MIN = 500, PAWS_IDLE_MS = 24 * 86400000u - 1 };

// RFC 5961 section 7: few answers by one connection, and in all a number that changes, so that counting them
// tells strangers nothing.
bool bm_tcp_answer_allowed(struct bm_tcp_shard *shard, uint32_t *answered_ms)
{
    uint32_t now = tcp_ms(shard), second = now / 1000;
    if (second != shard->challenges_second) {
        shard->challenges_second = second;
        shard->challenges_left = ANSWERS_MIN + shard->operations->random(shard->context) % (2 * ANSWERS_MIN);
    }
    if ((*answered_ms && now - *answered_ms < APART_MS) || !shard->challenges_left) {
        shard->counters.challenges_withheld++;
        return false;
    }
    shard->challenges_left--;
    shard->counters.challenges++;
    *answered_ms = now;
    return true;
}

static void challenge(struct bm_tcp_connection *c)
{
    if (bm_tcp_answer_allowed(c->shard, &c->challenged_ms))
        bm_tcp_send_ack(c);
}

void bm_tcp_reset_stranger(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                           const struct bm_tcp_segment *segment)
{
    struct bm_tcp_frame frame;
    uint32_t any = 0;
    if (segment->flags & TCP_RST || !bm_tcp_answer_allowed(shard, &any))
        return;
    uint32_t end =
        segment->sequence + segment->length + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
    if (segment->flags & TCP_ACK)
        bm_tcp_begin_header(&frame, tuple, segment->acknowledgement, 0, TCP_RST, 0);
    else
        bm_tcp_begin_header(&frame, tuple, 0, end, TCP_RST | TCP_ACK, 0);
    shard->counters.resets_out++;
    bm_tcp_finish_header(shard, &frame, frame.header + 20);
}

// RFC 7323 section 5.2 and 5.3, R1: an older time is that of an older segment, unless nothing came for 24
// days.
static bool too_old(const struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    return c->timestamps && segment->timestamps && tcp_before(segment->time, c->their_time) &&
           tcp_ms(c->shard) - c->their_time_ms < PAWS_IDLE_MS;
}

// First step: whether a part of it lies in the window. The window's end counts as within: there begins what a
// peer sends to a full window, whose acknowledgement counts.
static bool in_window(const struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    uint32_t size = segment->length + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
    uint32_t window = tcp_after(c->receive_edge, c->receive_next) ? c->receive_edge - c->receive_next : 0;
    uint32_t ahead = segment->sequence - c->receive_next;
    if (ahead <= window)
        return true;
    return (int32_t)ahead < 0 && (int32_t)(ahead + size) > 0;
}

static void out_of_window(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    c->shard->counters.unacceptable++;
    if (segment->flags & TCP_RST)
        return;
    uint32_t behind = c->receive_next - segment->sequence;
    if (segment->length + !!(segment->flags & TCP_FIN) && behind <= c->receive_limit) {
        // Data that came before: its acknowledgement may have been lost. RFC 2883 names it. What it says
        // about our data counts, too, where it is not older than the last.
        if (segment->flags & TCP_ACK && c->state >= BM_TCP_ESTABLISHED &&
            !tcp_before(segment->acknowledgement, c->una) && !tcp_after(segment->acknowledgement, c->next))
            bm_tcp_acknowledged(c, segment);
        if (c->gone)
            return;
        bm_tcp_receive(c, segment);
        if (!c->gone)
            bm_tcp_output(c);
    } else {
        challenge(c);
    }
}

// Second and fourth step, as RFC 5961 section 3.2 and 4.2 have changed them. False: that was all of it.
static bool not_control(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    if (segment->flags & TCP_RST) {
        if (segment->sequence == c->receive_next) {
            c->shard->counters.resets_in++;
            bm_tcp_end_connection(c, BM_TCP_RESET);
        } else {
            challenge(c);
        }
        return false;
    }
    if (segment->flags & TCP_SYN) {
        challenge(c);
        return false;
    }
    return segment->flags & TCP_ACK;
}

// RFC 5961 section 5.2, and what was never sent.
static bool acknowledgement_acceptable(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    uint32_t lowest = c->una - tcp_max(c->peer_window_max, c->mss);
    if (!tcp_before(segment->acknowledgement, lowest) && !tcp_after(segment->acknowledgement, c->next))
        return true;
    c->shard->counters.unacceptable++;
    challenge(c);
    return false;
}

static bool opened(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    if (segment->acknowledgement != c->next) {
        bm_tcp_reset_stranger(c->shard, &c->node.tuple, segment);
        return false;
    }
    c->state = BM_TCP_ESTABLISHED;
    c->una = c->next;
    c->retries = 0;
    c->wl1 = segment->sequence;
    c->wl2 = segment->acknowledgement;
    c->peer_window = c->peer_window_max = (uint32_t)segment->window << c->send_scale;
    bm_tcp_due_clear(c, DUE_RETRANSMIT);
    bm_tcp_congestion_start(c);
    if (c->events && c->events->connected)
        c->events->connected(c);
    return !c->gone;
}

void bm_tcp_input_connection(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    if (too_old(c, segment) && !(segment->flags & TCP_RST)) {
        c->shard->counters.paws++;
        c->duplicate = (struct bm_tcp_range){segment->sequence, segment->sequence + segment->length};
        if (tcp_after(c->duplicate.end, c->receive_next))
            c->duplicate.end = c->duplicate.begin;
        if (segment->length)
            bm_tcp_send_ack(c);
        else
            challenge(c);
        return;
    }
    // A SYN-ACK of a simultaneous opening, whose SYN was taken already (section 3.10.7.4, in SYN-RECEIVED).
    struct bm_tcp_segment second = *segment;
    if (c->state == BM_TCP_SYN_RECEIVED && segment->flags & TCP_SYN && segment->sequence == c->irs) {
        if (!(segment->flags & TCP_ACK)) {
            bm_tcp_send_syn(c);
            return;
        }
        second.flags &= (uint8_t)~TCP_SYN;
        second.sequence++;
        segment = &second;
    }
    if (!in_window(c, segment)) {
        out_of_window(c, segment);
        return;
    }
    if (!not_control(c, segment))
        return;
    if (c->state == BM_TCP_SYN_RECEIVED && !opened(c, segment))
        return;
    if (!acknowledgement_acceptable(c, segment))
        return;
    if (c->timestamps && segment->timestamps && !tcp_after(segment->sequence, c->last_ack_sent)) { // R3
        c->their_time = segment->time;
        c->their_time_ms = tcp_ms(c->shard);
        if (segment->length && segment->echo) {
            uint32_t ms = c->shard->ms + c->time_offset - segment->echo;
            if (ms < RTT_MAX_US / 1000)
                c->receive_rtt = c->receive_rtt ? (7 * c->receive_rtt + 1000 * ms) / 8 : 1000 * ms;
        }
    }
    bm_tcp_acknowledged(c, segment);
    if (!c->gone)
        bm_tcp_receive(c, segment);
    if (!c->gone)
        bm_tcp_output(c);
}

static void to_connection(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    bm_tcp_hold(c);
    c->heard_ms = tcp_ms(c->shard);
    c->keep_sent = 0;
    if (c->state == BM_TCP_SYN_SENT)
        bm_tcp_input_syn_sent(c, segment);
    else
        bm_tcp_input_connection(c, segment);
    bm_tcp_drop(c);
}

static bool is_elsewhere(const struct bm_tcp_node *node, const struct bm_tcp_packet *packet)
{
    uint16_t interface = ((const struct bm_tcp_connection *)node)->interface;
    return interface && interface != packet->interface;
}

static void to_node(struct bm_tcp_shard *shard, const struct bm_tcp_packet *packet,
                    const struct bm_tcp_segment *segment)
{
    struct bm_tcp_tuple tuple = packet->tuple;
    tuple.remote_port = bm_tcp_get16(packet->bytes);
    tuple.local_port = bm_tcp_get16(packet->bytes + 2);
    struct bm_tcp_node *node = bm_tcp_find(shard, &tuple);
    if (node && node->kind == BM_TCP_KIND_CONNECTION && is_elsewhere(node, packet)) {
        shard->counters.no_connection++;
        bm_tcp_reset_stranger(shard, &tuple, segment);
        return;
    }
    if (node && node->kind == BM_TCP_KIND_WAIT &&
        bm_tcp_input_wait(shard, (struct bm_tcp_wait *)node, segment))
        node = NULL;
    else if (node && node->kind == BM_TCP_KIND_WAIT)
        return;
    if (!node)
        bm_tcp_input_listen(shard, &tuple, segment);
    else if (node->kind == BM_TCP_KIND_HALF)
        bm_tcp_input_half(shard, (struct bm_tcp_half *)node, segment);
    else
        to_connection((struct bm_tcp_connection *)node, segment);
}

void bm_tcp_input(struct bm_tcp_shard *shard, const struct bm_tcp_packet *packet)
{
    struct bm_tcp_segment segment;
    bm_tcp_enter(shard);
    shard->counters.segments_in++;
    if (!bm_tcp_parse(packet, &segment) ||
        (segment.flags & TCP_SYN && segment.flags & (TCP_FIN | TCP_RST | TCP_URG))) {
        shard->counters.malformed++;
        return;
    }
    bool inside = shard->inside;
    shard->inside = true;
    to_node(shard, packet, &segment);
    shard->inside = inside;
}
