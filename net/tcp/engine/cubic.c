// CUBIC (RFC 9438), in integers.
// SPDX-License-Identifier: MIT
#include "connection.h"

// beta 0.7, C 0.4 segments/s^3, alpha 3 * (1 - beta) / (1 + beta) = 9 / 17.
enum { ROUND_MS_MAX = 300000 };

uint32_t bm_tcp_cube_root(uint64_t value)
{
    uint64_t root = 0;
    for (int shift = 63; shift >= 0; shift -= 3) {
        root *= 2;
        uint64_t step = 3 * root * (root + 1) + 1;
        if (value >> shift >= step) {
            value -= step << shift;
            root++;
        }
    }
    return (uint32_t)root;
}

// Section 4.6, and fast convergence (section 4.7).
uint32_t bm_tcp_cubic_threshold(struct bm_tcp_connection *c)
{
    struct bm_tcp_growth *g = &c->growth;
    uint32_t used = tcp_max(tcp_flight(c) + c->lost, c->mss);
    uint32_t window =
        c->limited ? c->window : tcp_min(c->window, used); // limited: but for pacing it were used
    g->w_max = c->window < g->w_max ? (uint32_t)((uint64_t)c->window * 17 / 20) : c->window;
    g->epoch = false;
    return tcp_max((uint32_t)((uint64_t)window * 7 / 10), 2 * c->mss);
}

// Section 4.2: where the window was before the loss, and how long the way back is.
static void begin_epoch(struct bm_tcp_connection *c)
{
    struct bm_tcp_growth *g = &c->growth;
    g->epoch = true;
    g->epoch_ms = tcp_ms(c->shard);
    g->w_estimate = c->window;
    g->left = 0;
    g->k_ms = 0;
    g->origin = tcp_max(c->window, g->w_max);
    if (g->w_max > c->window)
        g->k_ms = bm_tcp_cube_root((uint64_t)(g->w_max - c->window) * 2500000000u / c->mss);
}

// W_cubic(t + RTT), equation (1), between the window and 1.5 of it.
static uint32_t target_of(const struct bm_tcp_connection *c)
{
    const struct bm_tcp_growth *g = &c->growth;
    uint32_t elapsed = tcp_ms(c->shard) - g->epoch_ms + c->srtt / 1000;
    int64_t t = (int64_t)tcp_min(elapsed, ROUND_MS_MAX) - (int64_t)tcp_min(g->k_ms, ROUND_MS_MAX);
    int64_t target = (int64_t)g->origin + t * t * t / 10000 * 4 * c->mss / 1000000;
    if (target < (int64_t)c->window)
        return c->window;
    int64_t ceiling = (int64_t)c->window + c->window / 2;
    return (uint32_t)(target < ceiling ? target : ceiling);
}

void bm_tcp_cubic_grow(struct bm_tcp_connection *c, uint32_t acknowledged)
{
    struct bm_tcp_growth *g = &c->growth;
    if (!g->epoch)
        begin_epoch(c);
    // Section 4.3, the Reno-friendly region: slower until the old window is reached, as fast as Reno then.
    uint64_t reno = (uint64_t)acknowledged * c->mss;
    reno = g->w_estimate < g->w_max ? reno * 9 / 17 : reno;
    g->w_estimate =
        (uint32_t)tcp_min(g->w_estimate + (uint32_t)((reno + c->window / 2) / c->window), 1 << 29);
    uint64_t grown = (uint64_t)(target_of(c) - c->window) * acknowledged + g->left;
    g->left = (uint32_t)(grown % c->window);
    c->window += (uint32_t)(grown / c->window);
    c->window = tcp_max(c->window, g->w_estimate);
}
