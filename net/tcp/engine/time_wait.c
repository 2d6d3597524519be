// TIME-WAIT: what is left of a connection, small and bounded (RFC 9293 section 3.6.1, RFC 1337, RFC 6191).
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

void bm_tcp_wait_remove(struct bm_tcp_shard *shard, struct bm_tcp_wait *wait)
{
    bm_tcp_remove(shard, &wait->node);
    *(wait->older ? &wait->older->newer : &shard->wait_first) = wait->newer;
    *(wait->newer ? &wait->newer->older : &shard->wait_last) = wait->older;
    shard->waiting--;
    bm_tcp_free(shard, wait, sizeof *wait);
}

static void append(struct bm_tcp_shard *shard, struct bm_tcp_wait *wait)
{
    wait->newer = NULL;
    wait->older = shard->wait_last;
    *(shard->wait_last ? &shard->wait_last->newer : &shard->wait_first) = wait;
    shard->wait_last = wait;
    shard->waiting++;
    bm_tcp_wheel_set(&shard->wheel, &wait->node.timer, tcp_ms(shard) + shard->limits.time_wait_ms);
}

static void answer(struct bm_tcp_shard *shard, const struct bm_tcp_wait *wait)
{
    struct bm_tcp_frame frame;
    bm_tcp_begin_header(&frame, &wait->node.tuple, wait->send_next, wait->receive_next, TCP_ACK,
                        wait->window);
    uint8_t *to = frame.header + 20;
    if (wait->timestamps) {
        to = bm_tcp_put32(to, 0x0101080a);
        to = bm_tcp_put32(to, shard->ms + wait->time_offset);
        to = bm_tcp_put32(to, wait->their_time);
    }
    bm_tcp_finish_header(shard, &frame, to);
}

// The connection ends for the program, and its ends stay known for a while.
void bm_tcp_wait_begin(struct bm_tcp_connection *c)
{
    struct bm_tcp_shard *shard = c->shard;
    if (shard->waiting >= shard->limits.time_wait_max) {
        shard->counters.time_wait_dropped++;
        bm_tcp_wait_remove(shard, shard->wait_first);
    }
    struct bm_tcp_wait *wait = bm_tcp_allocate(shard, sizeof *wait);
    if (!wait) {
        if (c->ack_now)
            bm_tcp_send_ack(c);
        bm_tcp_end_connection(c, BM_TCP_ENDED);
        return;
    }
    memset(wait, 0, sizeof *wait);
    wait->node.tuple = c->node.tuple;
    wait->send_next = c->next;
    wait->receive_next = c->receive_next;
    wait->their_time = c->their_time;
    wait->time_offset = c->time_offset;
    wait->timestamps = c->timestamps;
    uint32_t window = c->receive_edge - c->receive_next;
    wait->window = (uint16_t)tcp_min((int32_t)window > 0 ? window >> c->receive_scale : 0, 65535);
    bool now = c->ack_now;
    bm_tcp_end_connection(c, BM_TCP_ENDED);
    if (bm_tcp_find(shard, &wait->node.tuple)) { // the program has begun the next one in the event
        bm_tcp_free(shard, wait, sizeof *wait);
        return;
    }
    bm_tcp_insert(shard, &wait->node, BM_TCP_KIND_WAIT);
    append(shard, wait);
    if (now)
        answer(shard, wait);
}

bool bm_tcp_input_wait(struct bm_tcp_shard *shard, struct bm_tcp_wait *wait,
                       const struct bm_tcp_segment *segment)
{
    uint8_t flags = segment->flags;
    if (flags & TCP_RST)
        return false; // RFC 1337 section 3
    if (flags & TCP_SYN && !(flags & TCP_ACK)) {
        bool later = wait->timestamps && segment->timestamps && tcp_after(segment->time, wait->their_time);
        if (later || tcp_after(segment->sequence, wait->receive_next)) { // MAY-2, RFC 6191
            bm_tcp_wait_remove(shard, wait);
            return true;
        }
    }
    // The peer's FIN once more: our acknowledgement was lost, and it may wait as long again.
    if (flags & TCP_FIN && segment->sequence + segment->length + 1 == wait->receive_next) {
        *(wait->older ? &wait->older->newer : &shard->wait_first) = wait->newer;
        *(wait->newer ? &wait->newer->older : &shard->wait_last) = wait->older;
        shard->waiting--;
        append(shard, wait);
        answer(shard, wait);
    } else if ((flags & (TCP_SYN | TCP_FIN) || segment->length || segment->sequence != wait->receive_next) &&
               bm_tcp_answer_allowed(shard, &wait->answered_ms)) {
        answer(shard, wait);
    }
    return false;
}
