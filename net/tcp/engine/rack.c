// RACK-TLP (RFC 8985): losses by the time of sending, and probes of a lost tail.
// SPDX-License-Identifier: MIT
#include "connection.h"

enum { MULTIPLIER_MAX = 200, PERSIST = 16 };

static bool sent_after(uint64_t time, uint32_t end, uint64_t other_time, uint32_t other_end)
{
    return time > other_time || (time == other_time && tcp_after(end, other_end));
}

// Steps 2 and 3 of section 6.2.
void bm_tcp_rack_delivered(struct bm_tcp_connection *c, const struct bm_tcp_sent *sent,
                           const struct bm_tcp_segment *segment)
{
    struct bm_tcp_rack *rack = &c->rack;
    if (tcp_after(sent->end, rack->furthest)) {
        rack->furthest = sent->end;
    } else if (tcp_before(sent->end, rack->furthest) && !(sent->flags & SENT_AGAIN)) {
        c->shard->counters.reordered += !rack->reordering;
        rack->reordering = true;
    }
    uint32_t rtt = (uint32_t)(c->shard->now - sent->time);
    if (sent->flags & SENT_AGAIN) {
        uint32_t sent_ms = (uint32_t)(sent->time / 1000) + c->time_offset;
        if (c->timestamps && segment->timestamps && tcp_before(segment->echo, sent_ms))
            return;
        if (rtt < c->min_rtt)
            return;
    }
    rack->rtt = rtt;
    if (sent_after(sent->time, sent->end, rack->time, rack->end)) {
        rack->time = sent->time;
        rack->end = sent->end;
    }
}

// Step 4: the window grows with each round trip that brings a D-SACK.
void bm_tcp_rack_duplicate(struct bm_tcp_connection *c)
{
    struct bm_tcp_rack *rack = &c->rack;
    if (tcp_before(c->una, rack->round))
        return;
    rack->round = c->next;
    rack->persist = PERSIST;
    rack->reordering = true;
    if (rack->multiplier < MULTIPLIER_MAX)
        rack->multiplier++;
}

uint32_t bm_tcp_rack_window(const struct bm_tcp_connection *c)
{
    if (!c->rack.reordering && (c->recovery != BM_TCP_OPEN || c->sacked_segments >= DUPLICATES))
        return 0;
    uint64_t window = (uint64_t)(c->rack.multiplier + 1) * (c->min_rtt / 4);
    return window < c->srtt ? (uint32_t)window : c->srtt;
}

// Step 5.
void bm_tcp_rack_detect(struct bm_tcp_connection *c, struct bm_tcp_progress *progress)
{
    if (!c->rack.time || !c->sack)
        return;
    uint64_t patience = c->rack.rtt + (uint64_t)bm_tcp_rack_window(c);
    for (struct bm_tcp_sent *sent = c->flying, *later; sent; sent = later) {
        later = sent->later;
        if (!sent_after(c->rack.time, c->rack.end, sent->time, sent->end))
            break;
        if (sent->time + patience > c->shard->now) {
            uint32_t left = (uint32_t)(sent->time + patience - c->shard->now);
            c->loss_timer = LOSS_REORDER;
            bm_tcp_due_set(c, DUE_LOSS, left / 1000 + 1);
            return;
        }
        progress->lost += sent->end - sent->begin;
        bm_tcp_sent_lost(c, sent);
    }
    if (c->loss_timer == LOSS_REORDER) {
        c->loss_timer = LOSS_NONE;
        bm_tcp_due_clear(c, DUE_LOSS);
    }
}

// Section 7.2.
void bm_tcp_tail_arm(struct bm_tcp_connection *c)
{
    if (c->loss_timer == LOSS_REORDER || !c->sack)
        return;
    c->loss_timer = LOSS_NONE;
    bm_tcp_due_clear(c, DUE_LOSS);
    if (c->recovery != BM_TCP_OPEN || !c->in_flight || c->sacked || c->rack.tail_probe ||
        c->state < BM_TCP_ESTABLISHED)
        return;
    uint32_t ms = c->srtt ? 2 * c->srtt / 1000 + 2 : RTO_FIRST_MS;
    if (c->in_flight <= c->mss)
        ms += ACK_DELAY_MAX_MS;
    if (ms >= c->rto_ms)
        return;
    c->loss_timer = LOSS_TAIL;
    bm_tcp_due_set(c, DUE_LOSS, ms);
}

// Section 7.3: new data if there is some, else the last segment once more.
void bm_tcp_tail_expired(struct bm_tcp_connection *c)
{
    struct bm_tcp_sent *last = c->sent_last;
    if (!last || last->flags & SENT_SACKED)
        return;
    c->rack.tail_again = false;
    if (!bm_tcp_send_new(c, c->mss)) {
        if (last->end - last->begin > c->mss && bm_tcp_sent_split(c, last, last->end - last->begin - c->mss))
            last = c->sent_last;
        c->rack.tail_again = true;
        if (!bm_tcp_send_again(c, last))
            return;
    }
    c->shard->counters.tail_probes++;
    c->rack.tail_probe = true;
    c->rack.tail_end = c->next;
    bm_tcp_retransmit_arm(c);
}

// Section 7.4: whether the probe has mended a loss, which the congestion control has to hear of.
void bm_tcp_tail_acknowledged(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                              const struct bm_tcp_progress *progress)
{
    struct bm_tcp_rack *rack = &c->rack;
    if (!rack->tail_probe || tcp_before(segment->acknowledgement, rack->tail_end))
        return;
    bool both = progress->duplicate || progress->spurious; // original and probe have arrived
    if (!rack->tail_again || both) {
        rack->tail_probe = false;
    } else if (tcp_after(segment->acknowledgement, rack->tail_end)) {
        rack->tail_probe = false;
        c->shard->counters.tail_losses++;
        bm_tcp_recovery_reduce(c);
    } else if (!progress->acknowledged && !segment->sack_count) {
        rack->tail_probe = false;
    }
}
