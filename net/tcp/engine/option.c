// What a program sets of a connection.
// SPDX-License-Identifier: MIT
#include "connection.h"

void bm_tcp_set_nodelay(struct bm_tcp_connection *c, bool on)
{
    bm_tcp_enter(c->shard);
    c->nodelay = on;
    bm_tcp_output(c);
}

void bm_tcp_set_keepalive(struct bm_tcp_connection *c, unsigned idle_s, unsigned interval_s, unsigned count)
{
    bm_tcp_enter(c->shard);
    c->keep_idle_s = (uint16_t)tcp_min(idle_s, 32767);
    c->keep_interval_s = (uint16_t)tcp_max(1, tcp_min(interval_s, 32767));
    c->keep_count = (uint8_t)tcp_max(1, tcp_min(count, 127));
    c->keep_sent = 0;
    bm_tcp_idle_arm(c);
}

void bm_tcp_set_user_timeout(struct bm_tcp_connection *c, uint32_t ms)
{
    c->user_timeout_ms = ms;
}

void bm_tcp_set_congestion(struct bm_tcp_connection *c, enum bm_tcp_congestion algorithm)
{
    c->algorithm = (uint8_t)algorithm;
    c->growth.epoch = false;
    c->growth.left = 0;
}

void bm_tcp_set_unsent_max(struct bm_tcp_connection *c, uint32_t bytes)
{
    c->unsent_max = bytes;
}

void bm_tcp_set_buffers(struct bm_tcp_connection *c, uint32_t send, uint32_t receive)
{
    if (send) {
        c->fixed_send = true;
        c->send_limit = tcp_max(2048, tcp_min(send, c->shard->limits.send_max));
    }
    if (receive) {
        uint32_t largest = tcp_min(c->shard->limits.receive_max, 65535u << c->receive_scale);
        c->fixed_receive = true;
        c->receive_limit = tcp_max(2048, tcp_min(receive, largest));
    }
}
