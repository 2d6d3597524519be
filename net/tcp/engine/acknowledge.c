// What an acknowledgement says: RFC 9293 section 3.10.7.4, fifth step; round trips (RFC 6298, RFC 7323).
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

enum { MIN_RTT_SPAN_MS = 10000 };

static void min_rtt(struct bm_tcp_connection *c, uint32_t rtt)
{
    uint32_t now = tcp_ms(c->shard);
    c->min_rtt = c->min_rtt ? tcp_min(c->min_rtt, rtt) : rtt;
    c->min_rtt_next = c->min_rtt_next ? tcp_min(c->min_rtt_next, rtt) : rtt;
    if (now - c->min_rtt_ms > MIN_RTT_SPAN_MS) {
        c->min_rtt = c->min_rtt_next;
        c->min_rtt_next = 0;
        c->min_rtt_ms = now;
    }
}

// RFC 6298 section 2; the variation is no less than what makes RTO_MIN of it.
void bm_tcp_rtt_sample(struct bm_tcp_connection *c, uint32_t rtt)
{
    rtt = tcp_max(1, tcp_min(rtt, RTT_MAX_US));
    min_rtt(c, rtt);
    if (!c->srtt) {
        c->srtt = rtt;
        c->rttvar = rtt / 2;
    } else {
        uint32_t apart = rtt > c->srtt ? rtt - c->srtt : c->srtt - rtt;
        c->rttvar = c->rttvar - c->rttvar / 4 + apart / 4;
        c->srtt = c->srtt - c->srtt / 8 + rtt / 8;
    }
    // 200 ms beside the round trip, as a peer may delay its acknowledgement for that long.
    uint32_t rto = c->srtt / 1000 + tcp_max(4 * c->rttvar / 1000, RTO_MIN_MS);
    c->rto_ms = tcp_min(rto, RTO_MAX_MS);
}

// wl1, wl2: an older segment's window is none.
static bool take_window(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    if (tcp_after(c->wl1, segment->sequence) ||
        (c->wl1 == segment->sequence && tcp_after(c->wl2, segment->acknowledgement)))
        return false;
    uint32_t window = (uint32_t)segment->window << (segment->flags & TCP_SYN ? 0 : c->send_scale);
    bool changed = window != c->peer_window;
    c->wl1 = segment->sequence;
    c->wl2 = segment->acknowledgement;
    c->peer_window = window;
    c->peer_window_max = tcp_max(c->peer_window_max, window);
    if (window && c->probing) { // RFC 9293 section 3.8.6.1: open again
        c->probing = false;
        c->retries = 0;
        bm_tcp_due_clear(c, DUE_RETRANSMIT);
    }
    return changed;
}

static void round_trip(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                       const struct bm_tcp_progress *progress)
{
    uint32_t rtt = progress->rtt;
    if (!rtt && c->timestamps && segment->timestamps && segment->echo && progress->acknowledged) {
        uint32_t ms =
            (uint32_t)(c->shard->now / 1000) + c->time_offset - segment->echo; // RFC 7323 section 4.1
        if (ms > RTT_MAX_US / 1000)
            return;
        rtt = tcp_max(ms, 1) * 1000;
    }
    if (!rtt)
        return;
    bm_tcp_rtt_sample(c, rtt);
    bm_tcp_congestion_rtt(c, rtt);
}

// Our FIN is acknowledged.
static void fin_acknowledged(struct bm_tcp_connection *c)
{
    if (c->state == BM_TCP_FIN_WAIT_1) {
        c->state = BM_TCP_FIN_WAIT_2;
        bm_tcp_idle_arm(c);
    } else if (c->state == BM_TCP_CLOSING) {
        bm_tcp_wait_begin(c);
    } else if (c->state == BM_TCP_LAST_ACK) {
        bm_tcp_end_connection(c, BM_TCP_ENDED);
    }
}

static void advance(struct bm_tcp_connection *c, uint32_t to, struct bm_tcp_progress *progress)
{
    progress->acknowledged = to - c->una;
    bool fin = c->fin_queued && to == c->data_end + 1;
    uint32_t data = progress->acknowledged - fin;
    c->una = to;
    c->retries = 0;
    c->black_hole = 0;
    c->progress_ms = tcp_ms(c->shard);
    // Numbers to compare with do not fall behind by half of the circle.
    if (!tcp_before(to, c->recovery_end))
        c->recovery_end = to;
    if (!tcp_before(to, c->rack.round))
        c->rack.round = to;
    bm_tcp_pieces_acknowledged(c, data);
    // RFC 6298 section 5, (5.3), and Linux' measure: the buffer holds two windows.
    uint32_t wanted =
        tcp_min(2 * tcp_max(c->window, c->peer_window / 4) + SEND_FIRST, c->shard->limits.send_max);
    if (!c->fixed_send && wanted > c->send_limit && bm_tcp_memory_ample(c->shard))
        c->send_limit = wanted;
    if (data && c->events && c->events->acknowledged)
        c->events->acknowledged(c, data);
    if (fin && !c->gone)
        fin_acknowledged(c);
}

// RFC 3168 section 6.1.2: once in a round trip.
static void congestion_echo(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    if (!c->ecn || !(segment->flags & TCP_ECE) || c->recovery != BM_TCP_OPEN ||
        tcp_before(c->una, c->recovery_end))
        return;
    bm_tcp_recovery_reduce(c);
    c->undo_from = 0;
    c->recovery_end = c->next;
    c->ecn_reduced = true;
}

void bm_tcp_acknowledged(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    struct bm_tcp_progress progress = {0};
    uint32_t flight = tcp_flight(c), old_una = c->una;
    if (tcp_before(segment->acknowledgement, c->una)) {
        if (c->sack && segment->sack_count)
            bm_tcp_sent_sack(c, segment, &progress);
        return;
    }
    bool window_changed = take_window(c, segment);
    bool news = segment->acknowledgement != old_una;
    if (news)
        bm_tcp_sent_acknowledge(c, segment, &progress);
    if (c->sack && segment->sack_count)
        bm_tcp_sent_sack(c, segment, &progress);
    if (news)
        advance(c, segment->acknowledgement, &progress);
    if (c->gone)
        return;
    if (!news && !window_changed && !segment->length && !(segment->flags & TCP_FIN)) // RFC 5681 section 2
        bm_tcp_recovery_duplicate_ack(c, &progress);
    round_trip(c, segment, &progress);
    congestion_echo(c, segment);
    bm_tcp_recovery_acknowledged(c, segment, &progress, flight);
    if (news)
        bm_tcp_retransmit_arm(c);
    if (news || progress.delivered)
        bm_tcp_tail_arm(c);
}
