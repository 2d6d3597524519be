// Counts that are kept beside the lists they count, and bounds.
// SPDX-License-Identifier: MIT
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hold_true(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "a connection contradicts itself: %s\n", what);
    abort();
}

static void judge_sent(const struct bm_tcp_connection *c)
{
    uint32_t flying = 0, lost = 0, sacked = 0, segments = 0, at = c->una;
    for (const struct bm_tcp_sent *sent = c->sent; sent; sent = sent->next) {
        uint32_t length = sent->end - sent->begin;
        hold_true(sent->begin == at, "sent segments follow each other from SND.UNA on");
        hold_true(length && length <= 65536, "a segment has a length");
        hold_true(
            !!(sent->flags & SENT_FLYING) + !!(sent->flags & SENT_LOST) + !!(sent->flags & SENT_SACKED) == 1,
            "a segment is under way, lost, or has arrived");
        flying += sent->flags & SENT_FLYING ? length : 0;
        lost += sent->flags & SENT_LOST ? length : 0;
        sacked += sent->flags & SENT_SACKED ? length : 0;
        segments += !!(sent->flags & SENT_SACKED);
        at = sent->end;
    }
    hold_true(!c->sent || at == c->next, "sent segments end at SND.NXT");
    hold_true(c->sent || c->una == c->next, "without sent segments all is acknowledged");
    hold_true(flying == c->in_flight, "the flight is that of its segments");
    hold_true(lost == c->lost, "so is what is lost");
    hold_true(sacked == c->sacked && segments == c->sacked_segments, "so is what has arrived");
    uint32_t listed = 0;
    for (const struct bm_tcp_sent *sent = c->flying; sent; sent = sent->later)
        listed += sent->end - sent->begin;
    hold_true(listed == flying, "the list by time holds the flight");
}

static void judge_parked(const struct bm_tcp_connection *c)
{
    uint32_t at = c->receive_next;
    for (const struct bm_tcp_parked *parked = c->parked; parked; parked = parked->next) {
        hold_true(tcp_after(parked->begin, at) || (parked != c->parked && parked->begin == at),
                  "data beyond a gap is in order, without overlaps");
        hold_true(tcp_after(parked->end, parked->begin), "it has a length");
        at = parked->end;
    }
    hold_true(!c->parked || !tcp_after(at, c->receive_edge), "it lies within the window");
    for (unsigned i = 0; i < c->sack_count; i++)
        hold_true(tcp_after(c->sack_ranges[i].end, c->sack_ranges[i].begin), "named ranges have a length");
}

static void judge_waiting(const struct bm_tcp_shard *shard)
{
    const struct bm_tcp_connection *last = NULL;
    for (const struct bm_tcp_connection *c = shard->room_first; c; last = c, c = c->wait_next) {
        hold_true(c->waits && !c->gone, "who waits for room is alive");
        hold_true(c->wait_previous == last, "and knows who waits before");
        hold_true(c->way && shard->full & 1u << c->way, "its way is full");
    }
    hold_true(shard->room_last == last, "the last one is known");
}

void world_judge(const struct world *world, const struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        const struct bm_tcp_connection *c = pair->ends[i];
        const struct bm_tcp_shard *shard = world->machines[i].shard;
        hold_true(shard->memory <= shard->limits.memory, "memory is bounded");
        hold_true(shard->half_open <= shard->limits.half_open_max, "half-open connections are bounded");
        hold_true(shard->waiting <= shard->limits.time_wait_max, "connections in TIME-WAIT are bounded");
        judge_waiting(shard);
        if (!c || c->state < BM_TCP_ESTABLISHED)
            continue;
        judge_sent(c);
        judge_parked(c);
        hold_true(c->window && c->mss >= MSS_FLOOR - 12, "the window and the segments are not empty");
        hold_true(c->rto_ms >= RTO_MIN_MS && c->rto_ms <= RTO_MAX_MS, "the time-out is within its bounds");
    }
}

void world_segment(struct world *world, int to, uint8_t *bytes, size_t size)
{
    struct bm_tcp_packet packet = {.tuple = {.local = {[10] = 255, [11] = 255, 10, 0, 0, to ? 2 : 1},
                                             .remote = {[10] = 255, [11] = 255, 10, 0, 0, to ? 1 : 2}}};
    bytes[16] = bytes[17] = 0;
    uint16_t sum = bm_tcp_checksum(&packet.tuple, bytes, size);
    bytes[16] = (uint8_t)(sum >> 8);
    bytes[17] = (uint8_t)sum;
    struct frame *frame = malloc(sizeof *frame + size);
    *frame = (struct frame){.references = 1, .size = size};
    memcpy(frame->bytes, bytes, size);
    packet.bytes = frame->bytes;
    packet.size = size;
    packet.owner = frame;
    world_input(&world->machines[to], &packet);
    if (!--frame->references)
        free(frame);
}
