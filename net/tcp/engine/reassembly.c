// Data beyond a gap: kept in order, without overlaps, named in SACK, and bounded.
// SPDX-License-Identifier: MIT
#include "connection.h"

enum { PARKED_TRUE_SIZE = 2048 }; // what a packet holds, however little data is in it

static void remove_parked(struct bm_tcp_connection *c, struct bm_tcp_parked *parked)
{
    *(parked->previous ? &parked->previous->next : &c->parked) = parked->next;
    *(parked->next ? &parked->next->previous : &c->parked_last) = parked->previous;
    c->parked_bytes -= PARKED_TRUE_SIZE;
    c->shard->memory -= PARKED_TRUE_SIZE;
    c->shard->operations->packet_release(c->shard->context, parked->owner);
    bm_tcp_free(c->shard, parked, sizeof *parked);
}

void bm_tcp_parked_free(struct bm_tcp_connection *c)
{
    while (c->parked)
        remove_parked(c, c->parked);
    c->sack_count = 0;
}

// The ranges that were touched last, the latest first; what touches another becomes one with it.
static void name_range(struct bm_tcp_connection *c, struct bm_tcp_range range)
{
    struct bm_tcp_range kept[SACK_BLOCKS];
    unsigned count = 0;
    for (unsigned i = 0; i < c->sack_count; i++) {
        struct bm_tcp_range *other = &c->sack_ranges[i];
        if (!tcp_before(range.end, other->begin) && !tcp_before(other->end, range.begin)) {
            if (tcp_before(other->begin, range.begin))
                range.begin = other->begin;
            if (tcp_after(other->end, range.end))
                range.end = other->end;
        } else if (tcp_after(other->end, c->receive_next) && count < SACK_BLOCKS - 1) {
            kept[count++] = *other;
        }
    }
    c->sack_ranges[0] = range;
    for (unsigned i = 0; i < count; i++)
        c->sack_ranges[i + 1] = kept[i];
    c->sack_count = (uint8_t)(count + 1);
}

static void insert(struct bm_tcp_connection *c, struct bm_tcp_parked *before, uint32_t begin, uint32_t end,
                   const uint8_t *data, void *owner)
{
    struct bm_tcp_shard *shard = c->shard;
    // Small packets with much memory behind each are bounded by twice the window, and by the shard's memory.
    if (c->parked_bytes + PARKED_TRUE_SIZE > 2 * c->receive_limit + 64 * PARKED_TRUE_SIZE ||
        shard->memory + PARKED_TRUE_SIZE > shard->limits.memory / 8 * 7) {
        shard->counters.pruned++;
        return;
    }
    struct bm_tcp_parked *parked = bm_tcp_allocate(shard, sizeof *parked);
    if (!parked)
        return;
    *parked = (struct bm_tcp_parked){.begin = begin,
                                     .end = end,
                                     .data = data,
                                     .owner = owner,
                                     .previous = before,
                                     .next = before ? before->next : c->parked};
    *(parked->next ? &parked->next->previous : &c->parked_last) = parked;
    *(before ? &before->next : &c->parked) = parked;
    shard->operations->packet_hold(shard->context, owner);
    c->parked_bytes += PARKED_TRUE_SIZE;
    shard->memory += PARKED_TRUE_SIZE;
    shard->counters.out_of_order++;
    if (c->sack)
        name_range(c, (struct bm_tcp_range){begin, end});
}

void bm_tcp_park(struct bm_tcp_connection *c, uint32_t begin, uint32_t end, const uint8_t *data, void *owner)
{
    struct bm_tcp_parked *before = c->parked_last;
    while (before && tcp_after(before->begin, begin))
        before = before->previous;
    // What is there already stays as it is; of the new one the parts between are taken, the first of them
    // only: the rest comes again.
    if (before && tcp_after(before->end, begin)) {
        uint32_t known = tcp_before(before->end, end) ? before->end : end;
        c->duplicate = (struct bm_tcp_range){begin, known};
        if (c->sack)
            name_range(c, (struct bm_tcp_range){before->begin, before->end});
        data += known - begin;
        begin = known;
    }
    struct bm_tcp_parked *next = before ? before->next : c->parked;
    if (next && tcp_after(end, next->begin)) {
        if (begin != end)
            c->duplicate = (struct bm_tcp_range){next->begin, tcp_before(next->end, end) ? next->end : end};
        end = next->begin;
    }
    if (tcp_after(end, begin))
        insert(c, before, begin, end, data, owner);
}

void bm_tcp_unpark(struct bm_tcp_connection *c)
{
    while (c->parked && !tcp_after(c->parked->begin, c->receive_next)) {
        struct bm_tcp_parked *parked = c->parked;
        if (tcp_after(parked->end, c->receive_next)) {
            // Out of the list before the program is called, which may end the connection.
            struct bm_tcp_parked copy = *parked;
            struct bm_tcp_shard *shard = c->shard;
            shard->operations->packet_hold(shard->context, copy.owner);
            remove_parked(c, parked);
            uint32_t skip = c->receive_next - copy.begin;
            bm_tcp_deliver(c, copy.data + skip, copy.end - copy.begin - skip, copy.owner);
            shard->operations->packet_release(shard->context, copy.owner);
            if (c->gone)
                return;
        } else {
            remove_parked(c, parked);
        }
    }
    unsigned count = 0;
    for (unsigned i = 0; i < c->sack_count; i++)
        if (tcp_after(c->sack_ranges[i].begin, c->receive_next))
            c->sack_ranges[count++] = c->sack_ranges[i];
    c->sack_count = (uint8_t)count;
}
