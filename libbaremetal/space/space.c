// The address space: mappings. Each change is made whole, or, when memory ends, not at all.
// SPDX-License-Identifier: MIT
//
// So nodes for the list are reserved first, then pages are mapped at their new place while they stand at the
// old one; the list changes last, when nothing can fail any more.
#include "space.h"

#include "pages.h"
#include "ranges.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>

#include <stddef.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static uint64_t region; // its first address
static uint64_t lowest; // where what may be anywhere begins

static bool start(void)
{
    if (!region && bm_space_flush_start())
        lowest = region = (uint64_t)bm_memory_reserve(2ul << 20, 2 * BM_PAGES_SPAN);
    return region != 0;
}

static bool fits(uint64_t address, uint64_t length)
{
    return length && !((address | length) & (BM_PAGE_SIZE - 1)) && length <= BM_PAGES_SPAN &&
           address - region <= BM_PAGES_SPAN - length;
}

// Maps a range where nothing is.
static bool add_range(uint64_t begin, uint64_t end, unsigned protection)
{
    if (protection && (!bm_pages_affordable(end - begin) || !bm_pages_add(begin, end, protection))) {
        bm_pages_drop(begin, end);
        return false;
    }
    bm_ranges_add(begin, end, protection);
    return true;
}

static int64_t map_anywhere(uint64_t length, unsigned protection)
{
    uint64_t begin = bm_ranges_hole(lowest, region + BM_PAGES_SPAN, length);
    return begin && add_range(begin, begin + length, protection) ? (int64_t)begin : -BM_ENOMEM;
}

static int64_t map_at(uint64_t begin, uint64_t length, unsigned protection, bool keep)
{
    uint64_t end = begin + length;
    if (!fits(begin, length))
        return -BM_ENOMEM;
    if (keep && bm_ranges_hole(begin, end, length) != begin)
        return -BM_EEXIST;
    if (protection && !bm_pages_affordable(length - bm_pages_present(begin, end)))
        return -BM_ENOMEM;
    bm_ranges_remove(begin, end);
    bm_pages_drop(begin, end);
    return add_range(begin, end, protection) ? (int64_t)begin : -BM_ENOMEM;
}

int64_t bm_space_map(uint64_t address, uint64_t length, unsigned protection, bool keep)
{
    BM_ASSERT_NO_HANDLER();
    if (!length || (length | address) & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_spinlock_acquire(&lock);
    int64_t result = -BM_ENOMEM;
    if (length <= BM_PAGES_SPAN && start() && bm_ranges_reserve())
        result = address ? map_at(address, length, protection, keep) : map_anywhere(length, protection);
    bm_spinlock_release(&lock);
    return result;
}

int bm_space_unmap(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    uint64_t begin = address, end = address + length;
    if (!length || (address | length) & (BM_PAGE_SIZE - 1) || end < begin)
        return -BM_EINVAL;
    int result = 0;
    bm_spinlock_acquire(&lock);
    begin = begin > region ? begin : region;
    end = end < region + BM_PAGES_SPAN ? end : region + BM_PAGES_SPAN;
    if (region && begin < end) {
        result = bm_ranges_reserve() ? 0 : -BM_ENOMEM;
        if (!result) {
            bm_ranges_remove(begin, end);
            bm_pages_drop(begin, end);
        }
    }
    bm_spinlock_release(&lock);
    return result;
}

// A part of [begin, end) that has one protection.
struct part {
    uint64_t begin, end;
    unsigned protection;
};

// The part that follows `after`; false when there is none.
static bool part_next(uint64_t after, uint64_t end, struct part *part)
{
    const struct bm_range *range = after < end ? bm_ranges_find(after) : NULL;
    if (!range)
        return false;
    *part = (struct part){after, range->end < end ? range->end : end, range->protection};
    return true;
}

// Bytes of [begin, end) that have no memory and will need it.
static uint64_t missing(uint64_t begin, uint64_t end)
{
    uint64_t bytes = 0;
    struct part part;
    for (uint64_t at = begin; part_next(at, end, &part); at = part.end)
        if (!part.protection)
            bytes += part.end - part.begin - bm_pages_present(part.begin, part.end);
    return bytes;
}

// What has no access gets it, beside its place in the other half.
static bool make_accessible(uint64_t begin, uint64_t end, unsigned protection)
{
    bool done = bm_pages_affordable(missing(begin, end));
    struct part part;
    for (uint64_t at = begin; done && part_next(at, end, &part); at = part.end)
        done = part.protection ||
               (bm_pages_alias(part.begin + BM_PAGES_SPAN, part.begin, part.end - part.begin, protection) &&
                bm_pages_add(part.begin, part.end, protection));
    for (uint64_t at = begin; !done && part_next(at, end, &part); at = part.end)
        if (!part.protection)
            bm_pages_retract(part.begin, part.end);
    return done;
}

// What has access is mapped in the other half, too, which is empty there.
static bool make_hidden(uint64_t begin, uint64_t end)
{
    bool done = bm_pages_affordable(0);
    struct part part;
    for (uint64_t at = begin; done && part_next(at, end, &part); at = part.end)
        done = !part.protection ||
               bm_pages_alias(part.begin, part.begin + BM_PAGES_SPAN, part.end - part.begin, BM_SPACE_NONE);
    for (uint64_t at = begin; !done && part_next(at, end, &part); at = part.end)
        if (part.protection)
            bm_pages_forget(part.begin + BM_PAGES_SPAN, part.end + BM_PAGES_SPAN);
    return done;
}

// Whether pages of the image stand there, which stay as they are.
static bool has_image(uint64_t begin, uint64_t end)
{
    struct part part;
    for (uint64_t at = begin; part_next(at, end, &part); at = part.end)
        if (part.protection & BM_SPACE_IMAGE)
            return true;
    return false;
}

static int protect_locked(uint64_t begin, uint64_t end, unsigned protection)
{
    unsigned before;
    bool same;
    if (!bm_ranges_cover(begin, end, &before, &same))
        return -BM_ENOMEM;
    if (same && before == protection)
        return 0;
    if (has_image(begin, end))
        return -BM_EACCES;
    if (!bm_ranges_reserve() ||
        !(protection ? make_accessible(begin, end, protection) : make_hidden(begin, end)))
        return -BM_ENOMEM;
    if (protection) {
        bm_pages_forget(begin + BM_PAGES_SPAN, end + BM_PAGES_SPAN);
        bm_pages_protect(begin, end, protection);
    } else {
        bm_pages_forget(begin, end);
    }
    bm_space_flush();
    bm_ranges_remove(begin, end);
    bm_ranges_add(begin, end, protection);
    return 0;
}

int bm_space_protect(uint64_t address, uint64_t length, unsigned protection)
{
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    int result =
        region && fits(address, length) ? protect_locked(address, address + length, protection) : -BM_ENOMEM;
    bm_spinlock_release(&lock);
    return result;
}

// Moves a range and makes it longer.
static int64_t move_range(uint64_t from, uint64_t length, uint64_t wanted, unsigned protection)
{
    uint64_t half = protection ? 0 : BM_PAGES_SPAN;
    uint64_t to = bm_ranges_hole(lowest, region + BM_PAGES_SPAN, wanted);
    if (!to || !add_range(to + length, to + wanted, protection))
        return -BM_ENOMEM;
    if (!bm_pages_alias(from + half, to + half, length, protection)) {
        bm_ranges_remove(to + length, to + wanted);
        bm_pages_drop(to + length, to + wanted);
        return -BM_ENOMEM;
    }
    bm_pages_forget(from + half, from + half + length);
    bm_space_flush();
    bm_ranges_remove(from, from + length);
    bm_ranges_add(to, to + length, protection);
    return (int64_t)to;
}

static int64_t resize_locked(uint64_t address, uint64_t length, uint64_t wanted, bool move)
{
    unsigned protection;
    bool same;
    if (!bm_ranges_cover(address, address + length, &protection, &same) || (wanted > length && !same))
        return -BM_EFAULT;
    if (has_image(address, address + length))
        return -BM_EFAULT;
    if (!bm_ranges_reserve())
        return -BM_ENOMEM;
    if (wanted == length)
        return (int64_t)address;
    if (wanted < length) {
        bm_ranges_remove(address + wanted, address + length);
        bm_pages_drop(address + wanted, address + length);
        return (int64_t)address;
    }
    uint64_t more = wanted - length, behind = address + length;
    if (fits(behind, more) && bm_ranges_hole(behind, behind + more, more) == behind)
        return add_range(behind, behind + more, protection) ? (int64_t)address : -BM_ENOMEM;
    return move ? move_range(address, length, wanted, protection) : -BM_ENOMEM;
}

int64_t bm_space_resize(uint64_t address, uint64_t length, uint64_t wanted, bool move)
{
    BM_ASSERT_NO_HANDLER();
    int64_t result = -BM_EFAULT;
    if (!wanted || wanted & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_spinlock_acquire(&lock);
    if (region && fits(address, length))
        result = wanted > BM_PAGES_SPAN ? -BM_ENOMEM : resize_locked(address, length, wanted, move);
    bm_spinlock_release(&lock);
    return result;
}

static bool is_mapped(uint64_t address, uint64_t length)
{
    unsigned protection;
    bool same;
    return region && fits(address, length) && bm_ranges_cover(address, address + length, &protection, &same);
}

int bm_space_clear(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    bool mapped = is_mapped(address, length);
    if (mapped && !has_image(address, address + length))
        bm_pages_clear(address, address + length);
    bm_spinlock_release(&lock);
    return mapped ? 0 : -BM_ENOMEM;
}

bool bm_space_mapped(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    bool mapped = is_mapped(address, length);
    bm_spinlock_release(&lock);
    return mapped;
}

int bm_space_barrier(void)
{
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    bool possible = start();
    if (possible)
        bm_space_flush();
    bm_spinlock_release(&lock);
    return possible ? 0 : -BM_ENOMEM;
}

int bm_space_place(uint64_t begin, uint64_t low)
{
    BM_ASSERT(!region, "a space must be placed before anything is mapped");
    if (!bm_space_flush_start())
        return -BM_ENOMEM;
    region = begin;
    lowest = low;
    return 0;
}

static int map_image(uint64_t begin, uint64_t from, uint64_t length, bool execute)
{
    uint64_t end = begin + length;
    if (bm_ranges_hole(begin, end, length) != begin)
        return -BM_EEXIST;
    if (!bm_ranges_reserve() || !bm_pages_map_image(begin, from, length, execute))
        return -BM_ENOMEM;
    bm_ranges_add(begin, end, BM_SPACE_READ | BM_SPACE_IMAGE | (execute ? BM_SPACE_EXECUTE : 0));
    return 0;
}

int bm_space_map_image(uint64_t address, const void *from, uint64_t length, bool execute)
{
    BM_ASSERT_NO_HANDLER();
    if (!region || !fits(address, length) || (uint64_t)from & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_spinlock_acquire(&lock);
    int result = map_image(address, (uint64_t)from, length, execute);
    bm_spinlock_release(&lock);
    return result;
}

bool bm_space_reachable(uint64_t address, uint64_t length, bool write)
{
    return address >= region && length <= BM_PAGES_SPAN && address - region <= BM_PAGES_SPAN - length &&
           bm_pages_reachable(address, address + length, write);
}

bool bm_space_next(uint64_t from, uint64_t *begin, uint64_t *end, unsigned *protection)
{
    bm_spinlock_acquire(&lock);
    const struct bm_range *range = bm_ranges;
    while (range && range->end <= from)
        range = range->next;
    if (range) {
        *begin = range->begin > from ? range->begin : from;
        *end = range->end;
        *protection = range->protection;
    }
    bm_spinlock_release(&lock);
    return range;
}
