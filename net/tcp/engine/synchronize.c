// The opening from this side: SYN-SENT (RFC 9293 section 3.10.7.3), and what SYNs agree on.
// SPDX-License-Identifier: MIT
#include "connection.h"

// What both have offered holds (RFC 7323 section 1.3, RFC 2018 section 2). The peer's MSS has its floor
// already.
void bm_tcp_negotiate(struct bm_tcp_connection *c, const struct bm_tcp_segment *syn)
{
    uint16_t usual = bm_tcp_is_ip4(&c->node.tuple) ? MSS_DEFAULT : MSS_DEFAULT_6;
    uint32_t mss = tcp_min(syn->mss ? syn->mss : usual, c->mss_peer);
    c->timestamps = c->timestamps && syn->timestamps;
    c->sack = c->sack && syn->sack_permitted;
    if (syn->scale == 255 || c->no_scale) {
        c->no_scale = true;
        c->send_scale = c->receive_scale = 0;
        c->receive_limit = tcp_min(c->receive_limit, 65535);
    } else {
        c->send_scale = syn->scale;
    }
    if (c->timestamps) {
        c->their_time = syn->time;
        c->their_time_ms = tcp_ms(c->shard);
        mss = tcp_max(mss, MSS_FLOOR) - 12; // RFC 6691: the option lies within the MSS
    }
    c->mss = (uint16_t)tcp_min(mss, MSS_CEILING);
    c->irs = syn->sequence;
    c->receive_next = c->last_ack_sent = syn->sequence + 1;
    c->wl1 = syn->sequence;
    c->wl2 = syn->acknowledgement;
    c->peer_window = c->peer_window_max = syn->window;
}

static void established(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    c->state = BM_TCP_ESTABLISHED;
    c->una = c->next;
    if (!c->retries) // RFC 6298 section 5.7: a repeated SYN's answer measures nothing
        bm_tcp_rtt_sample(c, (uint32_t)(c->shard->now - c->last_sent));
    else
        c->rto_ms = 3 * RTO_FIRST_MS;
    c->retries = 0;
    bm_tcp_due_clear(c, DUE_RETRANSMIT);
    c->ecn = c->shard->limits.ecn && (segment->flags & (TCP_ECE | TCP_CWR)) == TCP_ECE;
    bm_tcp_congestion_start(c);
    c->receive_edge = c->receive_next + tcp_min(bm_tcp_receive_room(c), 65535);
    c->ack_now = true;
    bm_tcp_idle_arm(c);
    if (c->events && c->events->connected)
        c->events->connected(c);
}

void bm_tcp_input_syn_sent(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment)
{
    uint8_t flags = segment->flags;
    if (flags & TCP_ACK && segment->acknowledgement != c->next) {
        bm_tcp_reset_stranger(c->shard, &c->node.tuple, segment);
        return;
    }
    if (flags & TCP_RST) {
        if (flags & TCP_ACK)
            bm_tcp_end_connection(c, BM_TCP_REFUSED);
        return;
    }
    if (!(flags & TCP_SYN))
        return;
    bm_tcp_negotiate(c, segment);
    if (!(flags & TCP_ACK)) { // MUST-10: both open at once
        c->state = BM_TCP_SYN_RECEIVED;
        bm_tcp_send_syn(c);
        bm_tcp_due_set(c, DUE_RETRANSMIT, c->rto_ms);
        return;
    }
    established(c, segment);
    if (c->gone)
        return;
    // Data of a SYN-ACK comes again.
    bm_tcp_output(c);
}
