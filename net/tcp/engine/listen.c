// The opening from the other side: listeners, and a bounded cache of handshakes (RFC 4987 section 3.3).
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

enum { SCALE_OURS = 7, TRIES = 5 };

static struct bm_tcp_listener **bucket(struct bm_tcp_shard *shard, uint16_t port)
{
    return &shard->listeners[port % LISTEN_BUCKETS];
}

// How well it fits, 0: not at all. The very address counts more than the interface, and that more than the
// family.
static unsigned fitness(const struct bm_tcp_listener *l, const struct bm_tcp_tuple *tuple, uint16_t interface)
{
    static const uint8_t any[16];
    unsigned fit = 1 + 2 * (l->interface != 0) + (l->family != 0);
    if (l->port != tuple->local_port || (l->interface && l->interface != interface))
        return 0;
    if (tcp_same_address(l->local, tuple->local))
        return fit + 4;
    if (!tcp_same_address(l->local, any))
        return 0;
    return !l->family || l->family == (bm_tcp_is_ip4(tuple) ? 4 : 6) ? fit : 0;
}

struct bm_tcp_listener *bm_tcp_listener_find(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                                             uint16_t interface)
{
    struct bm_tcp_listener *found = NULL;
    unsigned best = 0;
    for (struct bm_tcp_listener *l = *bucket(shard, tuple->local_port); l; l = l->next) {
        unsigned fit = fitness(l, tuple, interface);
        if (fit > best) {
            best = fit;
            found = l;
        }
    }
    return found;
}

static bool are_alike(const struct bm_tcp_listener *one, const struct bm_tcp_listener *other)
{
    return one->port == other->port && one->family == other->family && one->interface == other->interface &&
           tcp_same_address(one->local, other->local);
}

int bm_tcp_listen(struct bm_tcp_shard *shard, struct bm_tcp_listener *listener)
{
    struct bm_tcp_listener **head = bucket(shard, listener->port);
    for (struct bm_tcp_listener *l = *head; l; l = l->next)
        if (are_alike(l, listener))
            return -1;
    listener->next = *head;
    *head = listener;
    return 0;
}

void bm_tcp_unlisten(struct bm_tcp_shard *shard, struct bm_tcp_listener *listener)
{
    struct bm_tcp_listener **at = bucket(shard, listener->port);
    while (*at && *at != listener)
        at = &(*at)->next;
    if (*at)
        *at = listener->next;
    for (struct bm_tcp_half *half = shard->half_first, *newer; half; half = newer) {
        newer = half->newer;
        if (half->listener == listener)
            bm_tcp_half_remove(shard, half);
    }
}

void bm_tcp_half_begin(struct bm_tcp_shard *shard, struct bm_tcp_half *half, const struct bm_tcp_tuple *tuple,
                       const struct bm_tcp_segment *syn)
{
    const struct bm_tcp_limits *limits = &shard->limits;
    memset(half, 0, sizeof *half);
    half->node.tuple = *tuple;
    half->listener = bm_tcp_listener_find(shard, tuple, syn->interface);
    half->theirs = syn->sequence;
    half->their_time = syn->time;
    half->window = syn->window;
    half->mss = syn->mss;
    half->scale = limits->no_window_scale ? 255 : syn->scale;
    half->sack = syn->sack_permitted && !limits->no_sack;
    half->timestamps = syn->timestamps && !limits->no_timestamps;
    half->ecn = (syn->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR);
    struct bm_tcp_numbers numbers = bm_tcp_numbers(shard, tuple);
    half->ours = numbers.first;
    half->time_offset = numbers.time_offset;
    half->sent = shard->now;
}

void bm_tcp_half_answer(struct bm_tcp_shard *shard, const struct bm_tcp_half *half)
{
    struct bm_tcp_frame frame;
    const struct bm_tcp_tuple *tuple = &half->node.tuple;
    struct bm_tcp_syn_options options = {.mss = bm_tcp_way_mss(shard, tuple),
                                         .scale = half->scale == 255 ? 255 : SCALE_OURS,
                                         .sack = half->sack,
                                         .timestamps = half->timestamps,
                                         .echo = half->their_time,
                                         .time = shard->ms + half->time_offset};
    uint8_t flags = TCP_SYN | TCP_ACK | (half->ecn ? TCP_ECE : 0);
    uint32_t window = tcp_min(shard->limits.receive_first, 65535);
    bm_tcp_begin_header(&frame, tuple, half->ours, half->theirs + 1, flags, window);
    frame.listener = half->listener;
    frame.interface = half->listener->interface;
    bm_tcp_finish_header(shard, &frame, bm_tcp_put_syn_options(frame.header + 20, &options));
}

void bm_tcp_half_remove(struct bm_tcp_shard *shard, struct bm_tcp_half *half)
{
    bm_tcp_remove(shard, &half->node);
    *(half->older ? &half->older->newer : &shard->half_first) = half->newer;
    *(half->newer ? &half->newer->older : &shard->half_last) = half->older;
    shard->half_open--;
    bm_tcp_free(shard, half, sizeof *half);
}

static void set_timer(struct bm_tcp_shard *shard, struct bm_tcp_half *half)
{
    bm_tcp_wheel_set(&shard->wheel, &half->node.timer,
                     tcp_ms(shard) + ((uint32_t)RTO_FIRST_MS << half->tries));
}

void bm_tcp_half_due(struct bm_tcp_shard *shard, struct bm_tcp_half *half)
{
    if (++half->tries > TRIES) {
        bm_tcp_half_remove(shard, half);
        return;
    }
    set_timer(shard, half);
    // TCP_DEFER_ACCEPT: the handshake is done, its data is awaited in silence.
    if (!half->acknowledged)
        bm_tcp_half_answer(shard, half);
}

// A full cache keeps what it has; newcomers get a cookie, which needs no memory (RFC 4987 section 3.6).
static void synchronize(struct bm_tcp_shard *shard, const struct bm_tcp_half *begun)
{
    struct bm_tcp_half *half = NULL;
    if (shard->half_open < shard->limits.half_open_max)
        half = bm_tcp_allocate(shard, sizeof *half);
    if (!half) {
        struct bm_tcp_half cookie = *begun;
        cookie.scale = 255;
        cookie.sack = cookie.timestamps = cookie.ecn = false;
        cookie.ours = bm_tcp_cookie_make(shard, &cookie);
        shard->counters.cookies_sent++;
        bm_tcp_half_answer(shard, &cookie);
        return;
    }
    *half = *begun;
    half->older = shard->half_last;
    *(shard->half_last ? &shard->half_last->newer : &shard->half_first) = half;
    shard->half_last = half;
    shard->half_open++;
    bm_tcp_insert(shard, &half->node, BM_TCP_KIND_HALF);
    set_timer(shard, half);
    bm_tcp_half_answer(shard, half);
}

static void set_numbers(struct bm_tcp_connection *c, const struct bm_tcp_half *half)
{
    struct bm_tcp_shard *shard = c->shard;
    struct bm_tcp_segment syn = {.sequence = half->theirs,
                                 .acknowledgement = half->ours,
                                 .mss = half->mss,
                                 .scale = half->scale,
                                 .sack_permitted = half->sack,
                                 .timestamps = half->timestamps,
                                 .time = half->their_time,
                                 .window = (uint16_t)half->window};
    c->time_offset = half->time_offset;
    c->iss = half->ours;
    c->una = c->next = c->data_end = c->recovery_end = half->ours + 1;
    c->rack.furthest = c->rack.round = c->una;
    c->sack = c->timestamps = true;
    c->mss_peer = bm_tcp_way_mss(shard, &half->node.tuple);
    c->interface = half->listener->interface;
    c->receive_scale = SCALE_OURS;
    bm_tcp_negotiate(c, &syn);
    uint32_t window = tcp_min(shard->limits.receive_first, 65535);
    c->receive_edge = c->receive_next + window;
    c->receive_limit = tcp_max(c->receive_limit, window);
    c->ecn = half->ecn;
    c->state = BM_TCP_ESTABLISHED;
    if (!half->tries && half->sent)
        bm_tcp_rtt_sample(c, (uint32_t)(shard->now - half->sent));
    else
        c->rto_ms = 3 * RTO_FIRST_MS; // RFC 6298 section 5.7
    bm_tcp_congestion_start(c);
}

// The handshake is done: the connection is made, and the segment that did it is its first.
static void open_connection(struct bm_tcp_connection *c, const struct bm_tcp_half *half,
                            const struct bm_tcp_segment *segment)
{
    struct bm_tcp_listener *listener = half->listener;
    set_numbers(c, half);
    bm_tcp_idle_arm(c);
    bm_tcp_hold(c);
    if (!listener->accept || !listener->accept(listener, c)) {
        if (!c->gone)
            bm_tcp_abort(c);
    } else if (!c->gone) {
        bm_tcp_input_connection(c, segment);
    }
    bm_tcp_drop(c);
}

// Otherwise nothing is said, and the peer sends its data again.
static bool may_open(struct bm_tcp_listener *listener, const struct bm_tcp_segment *segment)
{
    if (listener->deferred && !segment->length)
        return false;
    return !listener->room || listener->room(listener);
}

static void take_cookie(struct bm_tcp_shard *shard, const struct bm_tcp_half *half,
                        const struct bm_tcp_segment *segment)
{
    if (!may_open(half->listener, segment))
        return;
    struct bm_tcp_connection *c = bm_tcp_connection_new(shard, &half->node.tuple);
    if (!c)
        return;
    shard->counters.cookies_taken++;
    open_connection(c, half, segment);
}

// Sections 3.10.7.1 and 3.10.7.2.
void bm_tcp_input_listen(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                         const struct bm_tcp_segment *segment)
{
    struct bm_tcp_half half;
    struct bm_tcp_listener *listener = bm_tcp_listener_find(shard, tuple, segment->interface);
    if (segment->flags & TCP_RST)
        return;
    if (!listener || segment->flags & TCP_ACK) {
        if (listener && !(segment->flags & TCP_SYN)) {
            bm_tcp_half_begin(shard, &half, tuple, segment);
            if (bm_tcp_cookie_take(shard, segment, &half)) {
                take_cookie(shard, &half, segment);
                return;
            }
        }
        shard->counters.no_connection++;
        bm_tcp_reset_stranger(shard, tuple, segment);
        return;
    }
    // Who finds no room now asks again, as on Linux; otherwise its handshake would be done on its side.
    if (!(segment->flags & TCP_SYN) || (listener->room && !listener->room(listener)))
        return;
    bm_tcp_half_begin(shard, &half, tuple, segment);
    synchronize(shard, &half);
}

// RFC 5961 section 4.2, and what is not acceptable: the peer hears where we are.
static void challenge(struct bm_tcp_shard *shard, struct bm_tcp_half *half)
{
    struct bm_tcp_frame frame;
    const struct bm_tcp_tuple *tuple = &half->node.tuple;
    if (!bm_tcp_answer_allowed(shard, &half->answered_ms))
        return;
    bm_tcp_begin_header(&frame, tuple, half->ours + 1, half->theirs + 1, TCP_ACK,
                        tcp_min(shard->limits.receive_first, 65535) >> (half->scale == 255 ? 0 : SCALE_OURS));
    frame.listener = half->listener;
    frame.interface = half->listener->interface;
    uint8_t *to = frame.header + 20;
    if (half->timestamps) {
        to = bm_tcp_put32(to, 0x0101080a);
        to = bm_tcp_put32(to, shard->ms + half->time_offset);
        to = bm_tcp_put32(to, half->their_time);
    }
    bm_tcp_finish_header(shard, &frame, to);
}

// SYN-RECEIVED, section 3.10.7.4.
void bm_tcp_input_half(struct bm_tcp_shard *shard, struct bm_tcp_half *half,
                       const struct bm_tcp_segment *segment)
{
    uint32_t ahead = segment->sequence - (half->theirs + 1);
    if (segment->flags & TCP_RST) {
        if (!ahead)
            bm_tcp_half_remove(shard, half);
        return;
    }
    if (segment->flags & TCP_SYN) {
        if (!(segment->flags & TCP_ACK) && segment->sequence == half->theirs)
            bm_tcp_half_answer(shard, half);
        else
            challenge(shard, half);
        return;
    }
    if (!(segment->flags & TCP_ACK))
        return;
    if (ahead > 65535) {
        challenge(shard, half);
        return;
    }
    if (segment->acknowledgement != half->ours + 1) {
        bm_tcp_reset_stranger(shard, &half->node.tuple, segment);
        return;
    }
    if (half->timestamps && segment->timestamps && tcp_before(segment->time, half->their_time))
        return;
    half->acknowledged = half->listener->deferred; // else our SYN again makes the peer ask again
    if (!may_open(half->listener, segment))
        return;
    struct bm_tcp_half done = *half;
    struct bm_tcp_connection *c = bm_tcp_connection_new(shard, &done.node.tuple);
    if (!c)
        return; // the peer asks again
    bm_tcp_half_remove(shard, half);
    open_connection(c, &done, segment);
}
