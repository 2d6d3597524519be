// The list of mapped ranges, by address. Under the space's lock.
// SPDX-License-Identifier: MIT
#include "ranges.h"

#include "space.h"

#include <baremetal/memory.h>

#include <stddef.h>

struct bm_range *bm_ranges;
const struct bm_space_backing *bm_space_backing;
static struct bm_range *unused, *dead; // dead: with an object that is to be given back
static unsigned unused_count, count;
static struct bm_range *last_used; // of the list, where the next search may begin; NULL: at the first

// Whoever looked for a hole of `length` bytes from `begin` on found none before `end`.
static struct {
    uint64_t begin, end, length;
} full;

static void give(struct bm_range *range)
{
    range->next = unused;
    unused = range;
    unused_count++;
}

// A node that left the list.
static void retire(struct bm_range *range)
{
    count--;
    if (last_used == range)
        last_used = NULL;
    full.end = 0;
    if (!range->object) {
        give(range);
        return;
    }
    range->next = dead;
    dead = range;
}

void *bm_ranges_dead(void)
{
    struct bm_range *range = dead;
    if (!range)
        return NULL;
    dead = range->next;
    give(range);
    return range->object;
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

unsigned bm_ranges_count(void)
{
    return count;
}

// One of those that were reserved.
static struct bm_range *take(void)
{
    struct bm_range *range = unused;
    unused = range->next;
    unused_count--;
    count++;
    return range;
}

// The last range that begins before an address, or NULL. Most searches are near the one before.
static struct bm_range *before(uint64_t address)
{
    struct bm_range *range = last_used && last_used->begin < address ? last_used : bm_ranges;
    if (!range || range->begin >= address)
        return NULL;
    while (range->next && range->next->begin < address)
        range = range->next;
    return last_used = range;
}

static struct bm_range **link_behind(struct bm_range *range)
{
    return range ? &range->next : &bm_ranges;
}

// Makes two of the range that has `at` in its middle.
static void split(uint64_t at)
{
    struct bm_range *range = bm_ranges_find(at);
    if (!range || range->begin == at)
        return;
    struct bm_range *rest = take();
    *rest = *range;
    rest->begin = range->end = at;
    rest->offset += at - range->begin;
    range->next = rest;
    if (rest->object)
        bm_space_backing->hold(rest->object);
}

static bool goes_on(const struct bm_range *range, const struct bm_range *next)
{
    return next && range->end == next->begin && range->protection == next->protection &&
           range->object == next->object &&
           (!range->object || range->offset + (range->end - range->begin) == next->offset);
}

// Joins what can be, from the range before `begin` to the one behind `end`.
static void join(uint64_t begin, uint64_t end)
{
    struct bm_range *first = before(begin);
    for (struct bm_range *range = first ? first : bm_ranges; range && range->begin <= end;) {
        struct bm_range *next = range->next;
        if (range->end >= begin && goes_on(range, next)) {
            range->end = next->end;
            range->next = next->next;
            retire(next);
        } else {
            range = next;
        }
    }
}

void bm_ranges_remove(uint64_t begin, uint64_t end)
{
    split(begin);
    split(end);
    struct bm_range **link = link_behind(before(begin)), *range;
    while ((range = *link) && range->begin < end) {
        *link = range->next;
        retire(range);
    }
}

void bm_ranges_add(const struct bm_range *what)
{
    struct bm_range **link = link_behind(before(what->begin)), *added = take();
    *added = *what;
    added->next = *link;
    *link = added;
    join(what->begin, what->end);
}

void bm_ranges_protect(uint64_t begin, uint64_t end, unsigned access)
{
    split(begin);
    split(end);
    for (struct bm_range *range = bm_ranges_find(begin); range && range->begin < end; range = range->next)
        range->protection = (range->protection & ~(unsigned)BM_SPACE_ACCESS) | access;
    join(begin, end);
}

void bm_ranges_mark_locked(uint64_t begin, uint64_t end, bool locked)
{
    split(begin);
    split(end);
    for (struct bm_range *range = bm_ranges; range && range->begin < end; range = range->next)
        if (range->begin >= begin)
            range->protection =
                (range->protection & ~(unsigned)BM_SPACE_LOCKED) | (locked ? BM_SPACE_LOCKED : 0);
    join(begin, end);
}

struct bm_range *bm_ranges_find(uint64_t address)
{
    struct bm_range *range = before(address + 1);
    return range && address < range->end ? range : NULL;
}

uint64_t bm_ranges_hole(uint64_t begin, uint64_t end, uint64_t length)
{
    const uint64_t from = begin;
    if (from == full.begin && length >= full.length && begin < full.end)
        begin = full.end;
    struct bm_range *first = before(begin), *range = first ? first : bm_ranges;
    for (; range && range->begin < end; range = range->next) {
        if (range->end <= begin)
            continue;
        if (range->begin >= begin && range->begin - begin >= length)
            break;
        begin = range->end;
    }
    if (begin > end || end - begin < length)
        return 0;
    full.begin = from;
    full.end = begin;
    full.length = length;
    return begin;
}

bool bm_ranges_cover(uint64_t begin, uint64_t end, struct bm_range *first, bool *same)
{
    struct bm_range *range = bm_ranges_find(begin);
    *same = true;
    if (!range)
        return false;
    *first = *range;
    while (range->end < end) {
        if (!range->next || range->next->begin != range->end)
            return false;
        *same = *same && goes_on(range, range->next);
        range = range->next;
    }
    return true;
}
