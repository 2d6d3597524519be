// The list of mapped ranges, by address. Under the space's lock.
// SPDX-License-Identifier: MIT
#include "ranges.h"

#include <baremetal/memory.h>

#include <stddef.h>

struct bm_range *bm_ranges;
static struct bm_range *unused;
static unsigned unused_count;

static void give(struct bm_range *range)
{
    range->next = unused;
    unused = range;
    unused_count++;
}

bool bm_ranges_reserve(void)
{
    if (unused_count >= BM_RANGES_RESERVE)
        return true;
    struct bm_range *page = bm_frame_allocate(0);
    for (size_t i = 0; page && i < BM_PAGE_SIZE / sizeof *page; i++)
        give(&page[i]);
    return page;
}

// One of those that were reserved.
static struct bm_range *take(void)
{
    struct bm_range *range = unused;
    unused = range->next;
    unused_count--;
    return range;
}

void bm_ranges_remove(uint64_t begin, uint64_t end)
{
    struct bm_range **link = &bm_ranges, *range;
    while ((range = *link) && range->begin < end) {
        if (range->end <= begin) {
            link = &range->next;
        } else if (range->begin < begin && range->end > end) { // a hole in the middle
            struct bm_range *rest = take();
            *rest = (struct bm_range){range->next, end, range->end, range->protection};
            range->end = begin;
            range->next = rest;
            return;
        } else if (range->begin < begin) {
            range->end = begin;
            link = &range->next;
        } else if (range->end > end) {
            range->begin = end;
            return;
        } else {
            *link = range->next;
            give(range);
        }
    }
}

void bm_ranges_add(uint64_t begin, uint64_t end, unsigned protection)
{
    struct bm_range **link = &bm_ranges, *before = NULL, *range;
    while ((range = *link) && range->begin < begin) {
        before = range;
        link = &range->next;
    }
    if (before && before->end == begin && before->protection == protection) {
        before->end = end;
        if (range && range->begin == end && range->protection == protection) {
            before->end = range->end;
            before->next = range->next;
            give(range);
        }
        return;
    }
    if (range && range->begin == end && range->protection == protection) {
        range->begin = begin;
        return;
    }
    struct bm_range *added = take();
    *added = (struct bm_range){range, begin, end, protection};
    *link = added;
}

struct bm_range *bm_ranges_find(uint64_t address)
{
    for (struct bm_range *range = bm_ranges; range && range->begin <= address; range = range->next)
        if (address < range->end)
            return range;
    return NULL;
}

uint64_t bm_ranges_hole(uint64_t begin, uint64_t end, uint64_t length)
{
    for (struct bm_range *range = bm_ranges; range && range->begin < end; range = range->next) {
        if (range->end <= begin)
            continue;
        if (range->begin >= begin && range->begin - begin >= length)
            return begin;
        begin = range->end;
    }
    return begin <= end && end - begin >= length ? begin : 0;
}

bool bm_ranges_cover(uint64_t begin, uint64_t end, unsigned *protection, bool *same)
{
    struct bm_range *range = bm_ranges_find(begin);
    *same = true;
    *protection = range ? range->protection : 0;
    while (range && range->end < end) {
        if (!range->next || range->next->begin != range->end)
            return false;
        range = range->next;
        *same = *same && range->protection == *protection;
    }
    return range != NULL;
}
