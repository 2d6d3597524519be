// The segments that are on their way: what of them has arrived, what is lost (RFC 2018, RFC 2883, RFC 6675).
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

static uint32_t length_of(const struct bm_tcp_sent *sent)
{
    return sent->end - sent->begin;
}

static void unlink_flying(struct bm_tcp_connection *c, struct bm_tcp_sent *sent)
{
    if (!(sent->flags & SENT_FLYING))
        return;
    *(sent->earlier ? &sent->earlier->later : &c->flying) = sent->later;
    *(sent->later ? &sent->later->earlier : &c->flying_last) = sent->earlier;
    sent->flags &= (uint8_t)~SENT_FLYING;
    c->in_flight -= length_of(sent);
}

void bm_tcp_sent_now(struct bm_tcp_connection *c, struct bm_tcp_sent *sent)
{
    unlink_flying(c, sent);
    if (sent->flags & SENT_LOST)
        c->lost -= length_of(sent);
    sent->flags = (uint8_t)((sent->flags & ~SENT_LOST) | SENT_FLYING);
    sent->time = c->shard->now;
    sent->later = NULL;
    sent->earlier = c->flying_last;
    *(c->flying_last ? &c->flying_last->later : &c->flying) = sent;
    c->flying_last = sent;
    c->in_flight += length_of(sent);
    c->last_sent = c->shard->now;
}

void bm_tcp_sent_lost(struct bm_tcp_connection *c, struct bm_tcp_sent *sent)
{
    if (sent->flags & (SENT_SACKED | SENT_LOST))
        return;
    unlink_flying(c, sent);
    sent->flags |= SENT_LOST;
    c->lost += length_of(sent);
    c->lost_total++;
}

// The place of data is named in the piece that holds it: one before may be freed earlier.
static void normalize(struct bm_tcp_piece **piece, uint32_t *offset)
{
    while (*piece && *offset >= (*piece)->length && (*piece)->next) {
        *offset -= (*piece)->length;
        *piece = (*piece)->next;
    }
}

struct bm_tcp_sent *bm_tcp_sent_add(struct bm_tcp_connection *c, uint32_t begin, uint32_t end)
{
    struct bm_tcp_sent *sent = bm_tcp_allocate(c->shard, sizeof *sent);
    if (!sent)
        return NULL;
    memset(sent, 0, sizeof *sent);
    if (!c->sent) // from now on the peer has something to acknowledge (RFC 5482 section 3)
        c->progress_ms = tcp_ms(c->shard);
    sent->begin = begin;
    sent->end = end;
    normalize(&c->unsent, &c->unsent_offset);
    sent->piece = c->unsent;
    sent->offset = c->unsent_offset;
    sent->previous = c->sent_last;
    *(c->sent_last ? &c->sent_last->next : &c->sent) = sent;
    c->sent_last = sent;
    bm_tcp_sent_now(c, sent);
    return sent;
}

// The first `length` bytes stay, the rest becomes a segment behind.
bool bm_tcp_sent_split(struct bm_tcp_connection *c, struct bm_tcp_sent *sent, uint32_t length)
{
    struct bm_tcp_sent *rest = bm_tcp_allocate(c->shard, sizeof *rest);
    if (!rest)
        return false;
    *rest = *sent;
    rest->begin += length;
    rest->offset += length;
    normalize(&rest->piece, &rest->offset);
    rest->previous = sent;
    *(sent->next ? &sent->next->previous : &c->sent_last) = rest;
    sent->next = rest;
    sent->end = rest->begin;
    sent->flags &= (uint8_t)~SENT_FIN;
    if (sent->flags & SENT_FLYING) {
        rest->earlier = sent;
        *(rest->later ? &rest->later->earlier : &c->flying_last) = rest;
        sent->later = rest;
    }
    if (sent->flags & SENT_SACKED)
        c->sacked_segments++;
    return true;
}

static void unlink_sent(struct bm_tcp_connection *c, struct bm_tcp_sent *sent)
{
    unlink_flying(c, sent);
    if (sent->flags & SENT_LOST)
        c->lost -= length_of(sent);
    if (sent->flags & SENT_SACKED) {
        c->sacked -= length_of(sent);
        c->sacked_segments--;
    }
    *(sent->previous ? &sent->previous->next : &c->sent) = sent->next;
    *(sent->next ? &sent->next->previous : &c->sent_last) = sent->previous;
    bm_tcp_free(c->shard, sent, sizeof *sent);
}

struct bm_tcp_sent *bm_tcp_sent_first_lost(const struct bm_tcp_connection *c)
{
    if (!c->lost)
        return NULL;
    struct bm_tcp_sent *sent = c->sent;
    while (sent && !(sent->flags & SENT_LOST))
        sent = sent->next;
    return sent;
}

// Karn's algorithm (RFC 6298 section 3): times of what was sent twice say nothing.
static void delivered(struct bm_tcp_connection *c, const struct bm_tcp_sent *sent,
                      const struct bm_tcp_segment *segment, struct bm_tcp_progress *progress)
{
    progress->delivered += length_of(sent);
    if (!(sent->flags & SENT_AGAIN))
        progress->rtt = (uint32_t)tcp_max((uint32_t)(c->shard->now - sent->time), 1);
    bm_tcp_rack_delivered(c, sent, segment);
}

// RFC 4015: the acknowledgement of what was repeated once echoes a time before the repetition. It counts down
// like a D-SACK, which will come for it, too.
static void eifel(struct bm_tcp_connection *c, const struct bm_tcp_sent *sent,
                  const struct bm_tcp_segment *segment, struct bm_tcp_progress *progress)
{
    uint32_t repeated = (uint32_t)(sent->time / 1000) + c->time_offset;
    if ((sent->flags & (SENT_AGAIN | SENT_TWICE)) != SENT_AGAIN || !c->timestamps || !segment->timestamps ||
        !tcp_before(segment->echo, repeated) || !c->undo_from || tcp_before(sent->begin, c->undo_from))
        return;
    c->undo_known++;
    if (c->undo_left > 0 && --c->undo_left == 0)
        progress->spurious = true;
}

// A part of a segment is acknowledged: it begins later now.
static void trim(struct bm_tcp_connection *c, struct bm_tcp_sent *sent, uint32_t length,
                 struct bm_tcp_progress *progress)
{
    if (sent->flags & SENT_FLYING)
        c->in_flight -= length;
    if (sent->flags & SENT_LOST)
        c->lost -= length;
    if (sent->flags & SENT_SACKED)
        c->sacked -= length;
    else
        progress->delivered += length;
    sent->begin += length;
    sent->offset += length;
    normalize(&sent->piece, &sent->offset);
}

void bm_tcp_sent_acknowledge(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                             struct bm_tcp_progress *progress)
{
    uint32_t to = segment->acknowledgement;
    while (c->sent && tcp_before(c->sent->begin, to)) {
        struct bm_tcp_sent *sent = c->sent;
        if (tcp_after(sent->end, to)) {
            trim(c, sent, to - sent->begin, progress);
            return;
        }
        if (!(sent->flags & SENT_SACKED)) {
            eifel(c, sent, segment, progress);
            delivered(c, sent, segment, progress);
        }
        unlink_sent(c, sent);
    }
}

static void sack(struct bm_tcp_connection *c, struct bm_tcp_sent *sent, const struct bm_tcp_segment *segment,
                 struct bm_tcp_progress *progress)
{
    delivered(c, sent, segment, progress);
    unlink_flying(c, sent);
    if (sent->flags & SENT_LOST)
        c->lost -= length_of(sent);
    sent->flags = (uint8_t)((sent->flags & ~SENT_LOST) | SENT_SACKED);
    c->sacked += length_of(sent);
    c->sacked_segments++;
}

// RFC 2883 section 4: a first block below the acknowledgement, or within the second one.
static bool is_duplicate(const struct bm_tcp_segment *segment)
{
    const struct bm_tcp_range *first = &segment->sack[0], *second = &segment->sack[1];
    if (!tcp_after(first->end, segment->acknowledgement))
        return true;
    return segment->sack_count > 1 && !tcp_before(first->begin, second->begin) &&
           !tcp_after(first->end, second->end);
}

static void duplicate_block(struct bm_tcp_connection *c, const struct bm_tcp_range *range,
                            struct bm_tcp_progress *progress)
{
    // What was acknowledged long ago is no news, what was never sent a lie.
    if (tcp_before(range->begin, c->una - c->peer_window_max) || tcp_after(range->end, c->next))
        return;
    c->shard->counters.duplicates_reported++;
    progress->duplicate = true;
    bm_tcp_rack_duplicate(c);
    if (!c->undo_from || !tcp_after(range->end, c->undo_from))
        return;
    if (c->undo_known)
        c->undo_known--;
    else if (c->undo_left > 0 && --c->undo_left == 0)
        progress->spurious = true;
}

void bm_tcp_sent_sack(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                      struct bm_tcp_progress *progress)
{
    for (unsigned i = 0; i < segment->sack_count; i++) {
        struct bm_tcp_range range = segment->sack[i];
        if (i == 0 && is_duplicate(segment)) {
            duplicate_block(c, &range, progress);
            continue;
        }
        if (tcp_before(range.begin, c->una) || tcp_after(range.end, c->next))
            continue; // RFC 2018 section 5.1: such a block means nothing
        // From the end: what is new is near it in the common case.
        struct bm_tcp_sent *sent = c->sent_last;
        while (sent && tcp_after(sent->end, range.end))
            sent = sent->previous;
        for (; sent && !tcp_before(sent->begin, range.begin); sent = sent->previous)
            if (!(sent->flags & SENT_SACKED))
                sack(c, sent, segment, progress);
    }
}

// RFC 2018 section 8: the receiver may have thrown away what it had named.
void bm_tcp_sent_forget_sacks(struct bm_tcp_connection *c)
{
    for (struct bm_tcp_sent *sent = c->sent; sent; sent = sent->next)
        if (sent->flags & SENT_SACKED) {
            c->sacked -= length_of(sent);
            c->sacked_segments--;
            sent->flags &= (uint8_t)~SENT_SACKED;
            bm_tcp_sent_lost(c, sent);
        }
}

void bm_tcp_sent_free(struct bm_tcp_connection *c)
{
    while (c->sent)
        unlink_sent(c, c->sent);
}
