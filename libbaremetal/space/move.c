// Mappings that get another length or another place.
// SPDX-License-Identifier: MIT
#include "inside.h"
#include "pages.h"

#include <baremetal/assert.h>
#include <baremetal/core.h>
#include <baremetal/error.h>

// What becomes of a range.
struct change {
    struct bm_range old;  // from its first page on that moves
    struct bm_range more; // what it is longer, at its end
    uint64_t to;          // its new place; 0: none fits
    bool keep;            // it stays mapped at its old place, without its contents
};

static uint64_t length_of(const struct bm_range *range)
{
    return range->end - range->begin;
}

// Memory for what stays at the old place; if there is none, the contents go back there: the tables that they
// stood in are still there.
static bool refill_old(const struct change *change, uint64_t half)
{
    uint64_t begin = change->old.begin, length = length_of(&change->old);
    if (!bm_space_needs_memory(&change->old) ||
        (bm_pages_affordable(length) && bm_pages_add(begin, change->old.end, change->old.protection)))
        return true;
    bm_pages_drop(begin, change->old.end);
    bool back = bm_pages_alias(change->to + half, begin + half, length, change->old.protection);
    BM_ASSERT(back, "tables stay when what they map is forgotten");
    (void)back;
    bm_pages_forget(change->to + half, change->to + half + length);
    return false;
}

static bool move_pages(const struct change *change)
{
    uint64_t half = bm_space_is_accessible(&change->old) ? 0 : BM_PAGES_SPAN;
    uint64_t from = change->old.begin + half, length = length_of(&change->old);
    if (!bm_pages_alias(from, change->to + half, length, change->old.protection))
        return false;
    bm_pages_forget(from, from + length);
    bool moved = !change->keep || refill_old(change, half);
    bm_space_flush();
    return moved;
}

static int64_t move_range(struct change *change)
{
    struct bm_range moved = change->old, *more = &change->more;
    uint64_t added = length_of(more);
    moved.begin = change->to;
    moved.end = more->begin = change->to + length_of(&change->old);
    more->end = more->begin + added;
    if (!change->to || !bm_ranges_reserve() || (added && !bm_space_add(more)))
        return -BM_ENOMEM;
    if (!move_pages(change)) {
        bm_ranges_remove(more->begin, more->end);
        bm_pages_drop(more->begin, more->end);
        return -BM_ENOMEM;
    }
    if (moved.object)
        bm_space_backing->hold(moved.object);
    if (!change->keep)
        bm_ranges_remove(change->old.begin, change->old.end);
    bm_ranges_add(&moved);
    return (int64_t)change->to;
}

static int64_t make_longer(struct change *change, bool move)
{
    struct bm_range *behind = &change->more;
    uint64_t more = length_of(behind);
    if (bm_space_fits(behind->begin, more) &&
        bm_ranges_hole(behind->begin, behind->end, more) == behind->begin)
        return bm_space_add(behind) ? (int64_t)change->old.begin : -BM_ENOMEM;
    if (!move)
        return -BM_ENOMEM;
    change->to = bm_space_hole(length_of(&change->old) + more);
    return move_range(change);
}

static void cut(uint64_t begin, uint64_t end)
{
    bm_ranges_remove(begin, end);
    bm_pages_drop(begin, end);
}

// The range, or the part of it, that all of [address, address + length) is; false: it is not of one.
static bool find(uint64_t address, uint64_t length, uint64_t wanted, struct change *change)
{
    bool same;
    struct bm_range *old = &change->old;
    if (!bm_ranges_cover(address, address + length, old, &same) || (wanted > length && !same) ||
        bm_space_has_image(address, address + length))
        return false;
    old->offset += address - old->begin;
    old->begin = address;
    old->end = address + (length < wanted ? length : wanted);
    change->more = *old;
    change->more.begin = old->end;
    change->more.end = old->begin + wanted;
    change->more.offset += length_of(old);
    return true;
}

static int64_t resize(uint64_t address, uint64_t length, uint64_t wanted, bool move)
{
    struct change change = {.keep = false};
    if (!find(address, length, wanted, &change))
        return -BM_EFAULT;
    if (!bm_ranges_reserve())
        return -BM_ENOMEM;
    if (wanted > length)
        return make_longer(&change, move);
    if (wanted < length)
        cut(address + wanted, address + length);
    return (int64_t)address;
}

int64_t bm_space_resize(uint64_t address, uint64_t length, uint64_t wanted, bool move)
{
    BM_ASSERT_NO_HANDLER();
    int64_t result = -BM_EFAULT;
    if (!wanted || wanted & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_space_lock();
    if (bm_space_region && bm_space_fits(address, length))
        result = wanted > BM_PAGES_SPAN ? -BM_ENOMEM : resize(address, length, wanted, move);
    bm_space_unlock();
    return result;
}

// What stood at the new place goes first, and so does what the range is longer than wanted, as with mremap.
static int64_t move_to(const struct bm_space_move *what)
{
    struct change change = {.to = what->to, .keep = what->keep};
    if (what->to && (!bm_space_fits(what->to, what->wanted) || !bm_ranges_reserve()))
        return -BM_ENOMEM;
    if (what->to)
        cut(what->to, what->to + what->wanted);
    if (!bm_ranges_reserve())
        return -BM_ENOMEM;
    if (what->wanted < what->length)
        cut(what->address + what->wanted, what->address + what->length);
    bool same;
    uint64_t length = what->length < what->wanted ? what->length : what->wanted;
    if (!find(what->address, length, what->wanted, &change) ||
        !bm_ranges_cover(what->address, what->address + length, &(struct bm_range){0}, &same) || !same)
        return -BM_EFAULT;
    if (!change.to)
        change.to = bm_space_hole(what->wanted);
    return move_range(&change);
}

int64_t bm_space_move(const struct bm_space_move *what)
{
    BM_ASSERT_NO_HANDLER();
    if (!what->wanted || (what->wanted | what->to) & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (what->to && what->to < what->address + what->length && what->address < what->to + what->wanted)
        return -BM_EINVAL;
    int64_t result = -BM_EFAULT;
    bm_space_lock();
    if (bm_space_region && bm_space_fits(what->address, what->length))
        result = what->wanted > BM_PAGES_SPAN ? -BM_ENOMEM : move_to(what);
    bm_space_unlock();
    return result;
}
