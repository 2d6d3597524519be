// What a loss does to the sender, and back when it was none.
// SPDX-License-Identifier: MIT
//
// Recovery: RFC 6675, RFC 6937, RFC 6582; time-outs: RFC 5681, RFC 6298; back: RFC 4015, RFC 3708.
#include "connection.h"

static void remember(struct bm_tcp_connection *c)
{
    c->before_window = c->window;
    c->before_threshold = c->threshold;
    c->undo_from = c->una ? c->una : 1; // 0: nothing to undo
    c->undo_left = 0;
    c->undo_known = 0;
}

void bm_tcp_recovery_enter(struct bm_tcp_connection *c)
{
    c->shard->counters.fast_recoveries++;
    remember(c);
    c->threshold = bm_tcp_congestion_threshold(c);
    c->recovery = BM_TCP_RECOVERY;
    c->recovery_end = c->next;
    c->prr_delivered = c->prr_out = 0;
    c->prr_flight = tcp_max(tcp_flight(c) + c->lost, c->mss);
    c->rack.tail_probe = false;
}

// One reduction without a recovery: a tail probe has mended a loss, or the network says ECE.
void bm_tcp_recovery_reduce(struct bm_tcp_connection *c)
{
    c->threshold = bm_tcp_congestion_threshold(c);
    c->window = tcp_min(c->window, c->threshold);
}

void bm_tcp_recovery_timeout(struct bm_tcp_connection *c)
{
    c->shard->counters.timeouts++;
    if (c->sent && c->sent->flags & SENT_SACKED)
        bm_tcp_sent_forget_sacks(c);
    if (c->recovery != BM_TCP_LOSS) { // RFC 5681 section 3.1, (4): once for the same data
        if (c->recovery == BM_TCP_OPEN)
            remember(c);
        c->threshold = bm_tcp_congestion_threshold(c);
    }
    // RFC 8985 section 6.3, step 1: the first, and what has had its time.
    uint64_t patience = (uint64_t)(c->rack.rtt ? c->rack.rtt : c->srtt) + bm_tcp_rack_window(c);
    struct bm_tcp_sent *sent = c->sent;
    for (; sent; sent = sent->next)
        if (sent == c->sent || !c->sack || sent->time + patience <= c->shard->now)
            bm_tcp_sent_lost(c, sent);
    c->recovery = BM_TCP_LOSS;
    c->recovery_end = c->next;
    c->window = c->mss;
    c->reno_sacked = 0;
    c->duplicates = 0;
    c->rack.tail_probe = false;
    c->rack.tail_again = false;
    bm_tcp_room_forget(c);
}

static void undo(struct bm_tcp_connection *c)
{
    c->shard->counters.spurious++;
    c->window = tcp_max(c->window, c->before_window);
    c->threshold = tcp_max(c->threshold, c->before_threshold);
    c->undo_from = 0;
    bm_tcp_congestion_forget(c);
    if (c->recovery == BM_TCP_LOSS) // nothing of it was lost: the answers are under way
        for (struct bm_tcp_sent *sent = c->sent; sent; sent = sent->next)
            if (sent->flags & SENT_LOST) {
                uint64_t time = sent->time;
                bm_tcp_sent_now(c, sent);
                sent->time = time;
            }
    c->recovery = BM_TCP_OPEN;
}

static void leave(struct bm_tcp_connection *c)
{
    if (c->recovery == BM_TCP_RECOVERY)
        c->window = tcp_max(c->threshold, 2 * c->mss);
    c->recovery = BM_TCP_OPEN;
    c->reno_sacked = 0;
    c->duplicates = 0;
    c->growth.epoch = false;
}

// RFC 6937 section 3.1, with the reduction bound of slow start while nothing more is lost.
static void proportional(struct bm_tcp_connection *c, const struct bm_tcp_progress *progress)
{
    uint32_t flight = tcp_flight(c), send = 0;
    c->prr_delivered += progress->delivered;
    if (flight > c->threshold) {
        uint64_t share = (uint64_t)c->prr_delivered * c->threshold + c->prr_flight - 1;
        share /= c->prr_flight;
        send = share > c->prr_out ? (uint32_t)(share - c->prr_out) : 0;
    } else {
        uint32_t limit = c->prr_delivered > c->prr_out ? c->prr_delivered - c->prr_out : 0;
        limit = tcp_max(limit, progress->delivered);
        if (progress->acknowledged && !progress->lost)
            limit += c->mss;
        send = tcp_min(c->threshold - flight, limit);
    }
    if (!c->prr_out)
        send = tcp_max(send, c->mss);
    c->window = flight + send;
}

// Without SACK: RFC 6582.
void bm_tcp_recovery_duplicate_ack(struct bm_tcp_connection *c, struct bm_tcp_progress *progress)
{
    if (c->sack || !c->sent)
        return;
    if (c->duplicates < 255)
        c->duplicates++;
    progress->delivered += c->mss;
    c->reno_sacked = tcp_min(c->reno_sacked + c->mss, c->in_flight);
    if (c->duplicates == DUPLICATES && c->recovery == BM_TCP_OPEN && tcp_after(c->una, c->recovery_end - 1)) {
        progress->lost += c->sent->end - c->sent->begin;
        bm_tcp_sent_lost(c, c->sent);
    }
}

static void partial(struct bm_tcp_connection *c, const struct bm_tcp_progress *progress)
{
    uint32_t gone = progress->acknowledged > c->mss ? progress->acknowledged - c->mss : 0;
    c->reno_sacked = c->reno_sacked > gone ? c->reno_sacked - gone : 0;
    if (c->recovery == BM_TCP_RECOVERY && c->sent && !(c->sent->flags & SENT_AGAIN))
        bm_tcp_sent_lost(c, c->sent);
}

static bool undone(struct bm_tcp_connection *c, const struct bm_tcp_progress *progress)
{
    if (!c->undo_from || !progress->spurious)
        return false;
    undo(c);
    return true;
}

void bm_tcp_recovery_acknowledged(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                                  struct bm_tcp_progress *progress, uint32_t flight_before)
{
    bool limited = c->limited || flight_before + 3 * c->mss >= c->window ||
                   (c->window < c->threshold && 2 * flight_before >= c->window);
    if (!undone(c, progress) && c->recovery != BM_TCP_OPEN && !tcp_before(c->una, c->recovery_end))
        leave(c);
    if (c->recovery == BM_TCP_OPEN && progress->acknowledged) {
        c->duplicates = 0;
        c->reno_sacked = 0;
    }
    if (c->recovery != BM_TCP_OPEN && progress->acknowledged && !c->sack)
        partial(c, progress);
    bm_tcp_rack_detect(c, progress);
    if (c->recovery == BM_TCP_OPEN && c->lost)
        bm_tcp_recovery_enter(c);
    bm_tcp_tail_acknowledged(c, segment, progress);
    if (c->recovery == BM_TCP_RECOVERY)
        proportional(c, progress);
    else if (progress->acknowledged && (limited || c->recovery == BM_TCP_LOSS))
        bm_tcp_congestion_grow(c, progress->acknowledged);
}
