// The congestion window: slow start (RFC 5681, RFC 6928, RFC 9406) and NewReno; CUBIC stands in cubic.c.
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

// RFC 9406 section 4.3, in us.
enum { THRESHOLD_MIN = 4000, THRESHOLD_MAX = 16000, SAMPLES = 8, CSS_DIVISOR = 4, CSS_ROUNDS = 5 };
enum { WINDOW_MAX = 1 << 29 };

// RFC 6928 section 2.
uint32_t bm_tcp_window_first(const struct bm_tcp_connection *c)
{
    return tcp_min(10 * c->mss, tcp_max(2 * c->mss, 14600));
}

void bm_tcp_congestion_start(struct bm_tcp_connection *c)
{
    memset(&c->growth, 0, sizeof c->growth);
    c->window = bm_tcp_window_first(c);
    c->threshold = WINDOW_MAX;
    c->growth.round_end = c->next;
    c->growth.last_min = c->growth.round_min = UINT32_MAX;
    c->growth.css_base = UINT32_MAX;
}

// What was learnt about the rate turned out to be wrong.
void bm_tcp_congestion_forget(struct bm_tcp_connection *c)
{
    c->growth.epoch = false;
    c->growth.w_max = tcp_max(c->growth.w_max, c->window);
}

// RFC 5681 section 4.1: after a pause the way may have changed.
void bm_tcp_congestion_idle(struct bm_tcp_connection *c)
{
    c->growth.epoch = false;
    c->window = tcp_min(c->window, bm_tcp_window_first(c));
}

static void new_round(struct bm_tcp_connection *c)
{
    struct bm_tcp_growth *g = &c->growth;
    if (g->css && ++g->css_rounds >= CSS_ROUNDS) { // section 4.2: the end of slow start
        c->threshold = c->window;
        g->css = false;
    }
    g->last_min = g->round_min;
    g->round_min = UINT32_MAX;
    g->samples = 0;
    g->round_end = c->next;
}

// HyStart++: slow start ends when the round trips grow, before the queue overflows.
void bm_tcp_congestion_rtt(struct bm_tcp_connection *c, uint32_t rtt)
{
    struct bm_tcp_growth *g = &c->growth;
    if (c->window >= c->threshold || c->recovery != BM_TCP_OPEN)
        return;
    if (!tcp_before(c->una, g->round_end))
        new_round(c);
    g->round_min = tcp_min(g->round_min, rtt);
    if (++g->samples < SAMPLES || g->last_min == UINT32_MAX)
        return;
    uint32_t threshold = tcp_max(THRESHOLD_MIN, tcp_min(g->last_min / 8, THRESHOLD_MAX));
    if (!g->css && g->round_min >= g->last_min + threshold) {
        g->css = true;
        g->css_rounds = 0;
        g->css_base = g->round_min;
    } else if (g->css && g->round_min < g->css_base) {
        g->css = false;
    }
}

static void newreno(struct bm_tcp_connection *c, uint32_t acknowledged)
{
    uint64_t grown = (uint64_t)acknowledged * c->mss + c->growth.left;
    c->window += (uint32_t)(grown / c->window);
    c->growth.left = (uint32_t)(grown % c->window);
}

void bm_tcp_congestion_grow(struct bm_tcp_connection *c, uint32_t acknowledged)
{
    if (c->window < c->threshold) {
        uint32_t grown = tcp_min(acknowledged, c->threshold - c->window);
        c->window +=
            c->growth.css ? grown / CSS_DIVISOR : grown; // RFC 3465 without its limit, as RFC 9406 has it
        acknowledged -= grown;
    }
    if (acknowledged && c->window >= c->threshold) {
        if (c->algorithm == BM_TCP_CUBIC)
            bm_tcp_cubic_grow(c, acknowledged);
        else
            newreno(c, acknowledged);
    }
    c->window = tcp_min(c->window, tcp_min(WINDOW_MAX, c->shard->limits.send_max * 2));
}

uint32_t bm_tcp_congestion_threshold(struct bm_tcp_connection *c)
{
    c->growth.css = false;
    if (c->algorithm == BM_TCP_CUBIC)
        return bm_tcp_cubic_threshold(c);
    return tcp_max((tcp_flight(c) + c->lost) / 2, 2 * c->mss); // RFC 5681, equation (4)
}
