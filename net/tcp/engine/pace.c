// How fast a window goes out: not all at once, which a queue of the network would have to take, but spread
// over the round trip.
// SPDX-License-Identifier: MIT
//
// Twice the window in a round trip while it grows by doubling, 1.25 times afterwards, as RFC 9002 section 7.7
// has it. What an initial window holds needs no pacing (RFC 6928), nor do round trips near a timer's step.
#include "connection.h"

enum { BURST = 4 /* segments */, BURST_US = 2000, RTT_MIN_US = 4000 };

static bool is_paced(const struct bm_tcp_connection *c)
{
    return c->in_flight > bm_tcp_window_first(c) && c->srtt >= RTT_MIN_US;
}

// What `length` bytes take, in us.
static uint64_t time_of(const struct bm_tcp_connection *c, uint32_t length)
{
    uint64_t window = tcp_max(c->window, c->in_flight);
    window = c->window < c->threshold ? 2 * window : window + window / 4;
    return (uint64_t)length * c->srtt / window;
}

bool bm_tcp_pace_wait(struct bm_tcp_connection *c)
{
    uint64_t now = c->shard->now;
    if (c->pace_at <= now || !is_paced(c))
        return false;
    bm_tcp_due_set(c, DUE_PACE, (uint32_t)tcp_min((uint32_t)((c->pace_at - now + 999) / 1000), 1000));
    return true;
}

// What was not used of the time before is a burst's, at most.
void bm_tcp_paced(struct bm_tcp_connection *c, uint32_t length)
{
    if (!is_paced(c))
        return;
    uint64_t burst = time_of(c, BURST * c->mss), now = c->shard->now;
    burst = burst > BURST_US ? burst : BURST_US;
    if (c->pace_at + burst < now)
        c->pace_at = now - burst;
    c->pace_at += time_of(c, length);
}
