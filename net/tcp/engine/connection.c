// A connection's life: made, connected, shut, closed, freed.
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

enum { SCALE_OURS = 7 };

struct bm_tcp_connection *bm_tcp_connection_new(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    struct bm_tcp_connection *c = bm_tcp_allocate(shard, sizeof *c);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->shard = shard;
    c->node.tuple = *tuple;
    c->rto_ms = RTO_FIRST_MS;
    c->send_limit = tcp_min(shard->limits.send_first, shard->limits.send_max);
    c->receive_limit = tcp_min(shard->limits.receive_first, shard->limits.receive_max);
    c->heard_ms = c->progress_ms = c->round_ms = c->min_rtt_ms = tcp_ms(shard);
    shard->connections++;
    bm_tcp_insert(shard, &c->node, BM_TCP_KIND_CONNECTION);
    return c;
}

void bm_tcp_hold(struct bm_tcp_connection *c)
{
    c->holds++;
}

static void free_parts(struct bm_tcp_connection *c)
{
    bm_tcp_sent_free(c);
    bm_tcp_pieces_free(c);
    bm_tcp_parked_free(c);
}

void bm_tcp_drop(struct bm_tcp_connection *c)
{
    if (--c->holds || !c->gone)
        return;
    bm_tcp_free(c->shard, c, sizeof *c);
}

void bm_tcp_end_connection(struct bm_tcp_connection *c, enum bm_tcp_end why)
{
    if (c->gone)
        return;
    struct bm_tcp_shard *shard = c->shard;
    bm_tcp_hold(c);
    c->gone = true;
    c->state = BM_TCP_CLOSED;
    bm_tcp_remove(shard, &c->node);
    shard->connections--;
    bm_tcp_room_forget(c);
    free_parts(c);
    if (c->orphan)
        shard->orphans--;
    else if (c->events && c->events->ended)
        c->events->ended(c, why);
    bm_tcp_drop(c);
}

void bm_tcp_connection_free_all(struct bm_tcp_shard *shard)
{
    for (size_t i = 0; i < shard->bucket_count && shard->buckets; i++)
        while (shard->buckets[i]) {
            struct bm_tcp_node *node = shard->buckets[i];
            if (node->kind == BM_TCP_KIND_HALF) {
                bm_tcp_half_remove(shard, (struct bm_tcp_half *)node);
            } else if (node->kind == BM_TCP_KIND_WAIT) {
                bm_tcp_wait_remove(shard, (struct bm_tcp_wait *)node);
            } else {
                ((struct bm_tcp_connection *)node)->events = NULL;
                bm_tcp_end_connection((struct bm_tcp_connection *)node, BM_TCP_ENDED);
            }
        }
}

struct bm_tcp_connection *bm_tcp_connect(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                                         uint16_t mss, const struct bm_tcp_events *events, void *user)
{
    bm_tcp_enter(shard);
    if (bm_tcp_find(shard, tuple))
        return NULL;
    struct bm_tcp_connection *c = bm_tcp_connection_new(shard, tuple);
    if (!c)
        return NULL;
    c->events = events;
    c->user = user;
    c->mss_peer = (uint16_t)tcp_max(MSS_FLOOR, tcp_min(mss, MSS_CEILING));
    c->mss = c->mss_peer;
    c->sack = !shard->limits.no_sack;
    c->timestamps = !shard->limits.no_timestamps;
    c->no_scale = shard->limits.no_window_scale;
    c->receive_scale = c->no_scale ? 0 : SCALE_OURS;
    struct bm_tcp_numbers numbers = bm_tcp_numbers(shard, tuple);
    c->time_offset = numbers.time_offset;
    c->iss = c->una = numbers.first;
    c->next = c->data_end = c->recovery_end = c->iss + 1;
    c->rack.furthest = c->rack.round = c->next;
    c->state = BM_TCP_SYN_SENT;
    c->last_sent = shard->now;
    bm_tcp_congestion_start(c);
    bm_tcp_send_syn(c);
    bm_tcp_due_set(c, DUE_RETRANSMIT, RTO_FIRST_MS);
    return c;
}

void bm_tcp_set_events(struct bm_tcp_connection *c, const struct bm_tcp_events *events, void *user)
{
    c->events = events;
    c->user = user;
}

void *bm_tcp_user(const struct bm_tcp_connection *c)
{
    return c->user;
}

enum bm_tcp_state bm_tcp_state_of(const struct bm_tcp_connection *c)
{
    return (enum bm_tcp_state)c->state;
}

void bm_tcp_set_interface(struct bm_tcp_connection *c, uint16_t interface)
{
    c->interface = interface;
}

const struct bm_tcp_tuple *bm_tcp_tuple(const struct bm_tcp_connection *c)
{
    return &c->node.tuple;
}

// Section 3.10.4.
void bm_tcp_shutdown(struct bm_tcp_connection *c)
{
    bm_tcp_enter(c->shard);
    if (c->gone || c->fin_queued)
        return;
    if (c->state < BM_TCP_ESTABLISHED) {
        bm_tcp_end_connection(c, BM_TCP_ENDED);
        return;
    }
    c->fin_queued = true;
    c->state = c->state == BM_TCP_CLOSE_WAIT ? BM_TCP_LAST_ACK : BM_TCP_FIN_WAIT_1;
    bm_tcp_hold(c);
    bm_tcp_output(c);
    bm_tcp_drop(c);
}

void bm_tcp_abort(struct bm_tcp_connection *c)
{
    if (c->gone)
        return;
    bm_tcp_enter(c->shard);
    bm_tcp_send_reset(c);
    c->events = NULL;
    bm_tcp_end_connection(c, BM_TCP_ENDED);
}

void bm_tcp_close(struct bm_tcp_connection *c)
{
    struct bm_tcp_shard *shard = c->shard;
    if (c->gone || c->orphan)
        return;
    bm_tcp_enter(shard);
    bool full = shard->orphans >= shard->limits.orphans_max;
    if (c->unread || full || c->state < BM_TCP_ESTABLISHED) {
        shard->counters.orphans_killed += full;
        bm_tcp_abort(c);
        return;
    }
    c->events = NULL;
    c->orphan = true;
    shard->orphans++;
    bm_tcp_idle_arm(c);
    bm_tcp_shutdown(c);
}

void bm_tcp_set_mss(struct bm_tcp_connection *c, uint16_t mss)
{
    uint16_t floor = bm_tcp_is_ip4(&c->node.tuple) ? MSS_DEFAULT : MSS_DEFAULT_6;
    uint16_t now = (uint16_t)tcp_max(mss, floor - 12);
    if (now >= c->mss) // wider than the peer's is nobody's to say
        return;
    c->mss = now;
    c->window = tcp_max(c->window, 2u * c->mss);
}

void bm_tcp_get_levels(const struct bm_tcp_connection *c, struct bm_tcp_levels *levels)
{
    *levels = (struct bm_tcp_levels){.writable = bm_tcp_writable(c),
                                     .unsent = bm_tcp_unsent(c),
                                     .unacknowledged = c->next - c->una,
                                     .peer_window_max = c->peer_window_max,
                                     .mss = c->mss,
                                     .state = c->state};
}

void bm_tcp_get_info(const struct bm_tcp_connection *c, struct bm_tcp_info *info)
{
    *info = (struct bm_tcp_info){.state = c->state,
                                 .recovery = c->recovery,
                                 .timestamps = c->timestamps,
                                 .sack = c->sack,
                                 .window_scale = !c->no_scale,
                                 .ecn = c->ecn,
                                 .send_scale = c->send_scale,
                                 .receive_scale = c->receive_scale,
                                 .mss = c->mss,
                                 .mss_peer = c->mss_peer,
                                 .sacked_segments = c->sacked_segments,
                                 .receive_rtt_us = c->receive_rtt,
                                 .heard_ms = tcp_ms(c->shard) - c->heard_ms,
                                 .rto_ms = c->rto_ms,
                                 .srtt_us = c->srtt,
                                 .rttvar_us = c->rttvar,
                                 .min_rtt_us = c->min_rtt,
                                 .congestion_window = c->window,
                                 .slow_start_threshold = c->threshold,
                                 .in_flight = tcp_flight(c),
                                 .send_limit = c->send_limit,
                                 .send_queued = c->data_end - c->una,
                                 .send_unsent = bm_tcp_unsent(c),
                                 .receive_window = c->receive_limit,
                                 .peer_window = c->peer_window,
                                 .peer_window_max = c->peer_window_max,
                                 .retransmitted = c->retransmitted,
                                 .lost = c->lost_total,
                                 .reordering_window_us = bm_tcp_rack_window(c),
                                 .timeouts_in_a_row = c->retries};
}
