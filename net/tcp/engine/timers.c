// Time-outs of a connection.
// SPDX-License-Identifier: MIT
//
// RFC 6298 section 5, RFC 9293 sections 3.8.3, 3.8.4, 3.8.6.1, RFC 5482, RFC 4821 in its small form.
#include "connection.h"

void bm_tcp_due_set(struct bm_tcp_connection *c, unsigned which, uint32_t ms_from_now)
{
    tcp_due_set(c, which, ms_from_now);
}

// RFC 6298 section 5, (5.1) to (5.3).
void bm_tcp_retransmit_arm(struct bm_tcp_connection *c)
{
    c->probing = false;
    if (c->sent)
        bm_tcp_due_set(c, DUE_RETRANSMIT, tcp_min(c->rto_ms << tcp_min(c->retries, 10), RTO_MAX_MS));
    else
        bm_tcp_due_clear(c, DUE_RETRANSMIT);
}

void bm_tcp_idle_arm(struct bm_tcp_connection *c)
{
    if (c->orphan && c->state == BM_TCP_FIN_WAIT_2)
        bm_tcp_due_set(c, DUE_IDLE, FIN_WAIT_2_MS);
    else if (c->keep_idle_s && c->state >= BM_TCP_ESTABLISHED)
        bm_tcp_due_set(c, DUE_IDLE, 1000u * (c->keep_sent ? c->keep_interval_s : c->keep_idle_s));
    else
        bm_tcp_due_clear(c, DUE_IDLE);
}

// R2 of section 3.8.3, or what the program has asked for; a probed window may stay closed for ever, as long
// as the peer answers, except for those whose program has gone.
static bool given_up(struct bm_tcp_connection *c)
{
    uint32_t now = tcp_ms(c->shard);
    if (c->state < BM_TCP_ESTABLISHED)
        return c->retries > SYN_RETRIES;
    if (c->user_timeout_ms && now - c->progress_ms >= c->user_timeout_ms)
        return true;
    if (c->probing && !c->orphan && now - c->heard_ms < RTO_MAX_MS * 4)
        return false;
    return c->retries > (c->orphan ? ORPHAN_RETRIES : RETRIES);
}

// Large segments that do not come through while nothing else says why.
static void black_hole(struct bm_tcp_connection *c)
{
    uint16_t floor = bm_tcp_is_ip4(&c->node.tuple) ? MSS_DEFAULT : MSS_DEFAULT_6;
    if (c->retries < 3 || c->mss <= floor || c->black_hole)
        return;
    c->black_hole = 1;
    bm_tcp_set_mss(c, c->mss > 1200 ? 1200 - 12 : floor);
}

static void retransmit_due(struct bm_tcp_connection *c)
{
    c->retries++;
    if (given_up(c)) {
        bm_tcp_end_connection(c, BM_TCP_TIMED_OUT);
        return;
    }
    if (c->state < BM_TCP_ESTABLISHED) {
        bm_tcp_send_syn(c);
        bm_tcp_due_set(c, DUE_RETRANSMIT, tcp_min((uint32_t)RTO_FIRST_MS << c->retries, RTO_MAX_MS));
        return;
    }
    if (!c->sent) { // the window is closed, or there was no memory
        if (!bm_tcp_send_new(c, c->mss))
            bm_tcp_send_probe(c);
        if (c->sent) {
            bm_tcp_retransmit_arm(c);
            return;
        }
        c->probing = true;
        bm_tcp_due_set(c, DUE_RETRANSMIT, tcp_min(c->rto_ms << tcp_min(c->retries, 10), PROBE_MAX_MS));
        return;
    }
    black_hole(c);
    bm_tcp_recovery_timeout(c);
    bm_tcp_retransmit_arm(c);
    bm_tcp_due_clear(c, DUE_LOSS);
    c->loss_timer = LOSS_NONE;
}

static void loss_due(struct bm_tcp_connection *c)
{
    enum bm_tcp_loss_timer timer = c->loss_timer;
    struct bm_tcp_progress progress = {0};
    c->loss_timer = LOSS_NONE;
    if (timer == LOSS_TAIL) {
        bm_tcp_tail_expired(c);
    } else if (timer == LOSS_REORDER) {
        bm_tcp_rack_detect(c, &progress);
        if (c->lost && c->recovery == BM_TCP_OPEN) {
            bm_tcp_recovery_enter(c);
            c->window = tcp_flight(c) + c->mss;
        }
    }
}

static void idle_due(struct bm_tcp_connection *c)
{
    uint32_t now = tcp_ms(c->shard), quiet = now - c->heard_ms;
    if (c->orphan && c->state == BM_TCP_FIN_WAIT_2) {
        bm_tcp_end_connection(c, BM_TCP_ENDED);
        return;
    }
    if (quiet < 1000u * c->keep_idle_s) {
        bm_tcp_due_set(c, DUE_IDLE, 1000u * c->keep_idle_s - quiet);
        return;
    }
    if (c->keep_sent >= c->keep_count ||
        (c->user_timeout_ms && c->keep_sent && quiet >= c->user_timeout_ms)) {
        bm_tcp_send_reset(c);
        bm_tcp_end_connection(c, BM_TCP_TIMED_OUT);
        return;
    }
    if (!c->sent) // what is on its way asks, too
        bm_tcp_send_probe(c);
    c->keep_sent++;
    bm_tcp_idle_arm(c);
}

static bool take_due(struct bm_tcp_connection *c, unsigned which)
{
    if (c->gone || !c->due[which] || (int32_t)(c->due[which] - tcp_ms(c->shard)) > 0)
        return false;
    c->due[which] = 0;
    return true;
}

void bm_tcp_connection_due(struct bm_tcp_connection *c)
{
    bm_tcp_hold(c);
    take_due(c, DUE_PACE); // sends on below
    if (take_due(c, DUE_ACK))
        c->ack_now = true;
    if (take_due(c, DUE_LOSS))
        loss_due(c);
    if (take_due(c, DUE_RETRANSMIT))
        retransmit_due(c);
    if (take_due(c, DUE_IDLE))
        idle_due(c);
    if (!c->gone) {
        bm_tcp_output(c);
        for (unsigned i = 0; i < DUE_COUNT; i++)
            if (c->due[i])
                tcp_set_earliest(c, c->due[i]);
    }
    bm_tcp_drop(c);
}

void bm_tcp_timers_run(struct bm_tcp_shard *shard)
{
    bm_tcp_enter(shard);
    bool inside = shard->inside;
    shard->inside = true;
    struct bm_tcp_timer *timer;
    while ((timer = bm_tcp_wheel_next(&shard->wheel, shard->ms))) {
        struct bm_tcp_node *node =
            (struct bm_tcp_node *)(void *)((char *)timer - offsetof(struct bm_tcp_node, timer));
        if (node->kind == BM_TCP_KIND_HALF)
            bm_tcp_half_due(shard, (struct bm_tcp_half *)node);
        else if (node->kind == BM_TCP_KIND_WAIT)
            bm_tcp_wait_remove(shard, (struct bm_tcp_wait *)node);
        else
            bm_tcp_connection_due((struct bm_tcp_connection *)node);
    }
    shard->inside = inside;
    bm_tcp_wheel_look(&shard->wheel);
}

uint64_t bm_tcp_timers_due(const struct bm_tcp_shard *shard)
{
    if (!shard->wheel.any)
        return UINT64_MAX;
    int32_t ahead = (int32_t)(shard->wheel.soonest - shard->ms);
    return (shard->now / 1000 + (uint64_t)(ahead > 0 ? ahead : 0)) * 1000;
}
