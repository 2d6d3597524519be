// The address space: mappings. Each change is made whole, or, when memory ends, not at all.
// SPDX-License-Identifier: MIT
//
// So nodes for the list are reserved first, then pages are mapped at their new place while they stand at the
// old one; the list changes last, when nothing can fail any more.
#include "space.h"

#include "../base/stack.h"
#include "inside.h"
#include "pages.h"

#include <baremetal/assert.h>
#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>

#include <stddef.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static uint64_t lowest; // where what may be anywhere begins
uint64_t bm_space_region;
static unsigned holder; // of the lock: a core's number and 1, or 0

void bm_space_lock(void)
{
    bm_stack_ready(BM_STACK_SPACE);
    BM_CHECK(bm_check_lock_take(&lock, __builtin_return_address(0)));
    while (!bm_spinlock_try(&lock)) {
        bm_space_flush_answer();
        __builtin_ia32_pause();
    }
    __atomic_store_n(&holder, bm_core_id() + 1, __ATOMIC_RELAXED);
}

void bm_space_lock_release(void)
{
    __atomic_store_n(&holder, 0, __ATOMIC_RELAXED);
    bm_spinlock_release(&lock);
}

bool bm_space_lock_is_mine(void)
{
    return __atomic_load_n(&holder, __ATOMIC_RELAXED) == bm_core_id() + 1;
}

void bm_space_unlock(void)
{
    void *object;
    while ((object = bm_ranges_dead())) {
        bm_space_lock_release();
        bm_space_backing->release(object);
        bm_space_lock();
    }
    bm_space_lock_release();
}

static bool start(void)
{
    if (!bm_space_region && bm_space_flush_start())
        lowest = bm_space_region = (uint64_t)bm_memory_reserve(2ul << 20, 2 * BM_PAGES_SPAN);
    return bm_space_region != 0;
}

uint64_t bm_space_hole(uint64_t length)
{
    return bm_ranges_hole(lowest, bm_space_region + BM_PAGES_SPAN, length);
}

bool bm_space_fits(uint64_t address, uint64_t length)
{
    return length && !((address | length) & (BM_PAGE_SIZE - 1)) && length <= BM_PAGES_SPAN &&
           address - bm_space_region <= BM_PAGES_SPAN - length;
}

bool bm_space_add(const struct bm_range *what)
{
    uint64_t begin = what->begin, end = what->end;
    if (bm_space_needs_memory(what) &&
        (!bm_pages_affordable(end - begin) || !bm_pages_add(begin, end, what->protection))) {
        bm_pages_drop(begin, end);
        return false;
    }
    if (what->object)
        bm_space_backing->hold(what->object);
    bm_ranges_add(what);
    return true;
}

static int64_t map_anywhere(struct bm_range *what)
{
    uint64_t length = what->end - what->begin;
    what->begin = bm_space_hole(length);
    what->end = what->begin + length;
    return what->begin && bm_space_add(what) ? (int64_t)what->begin : -BM_ENOMEM;
}

static int64_t map_at(const struct bm_range *what, bool keep)
{
    uint64_t begin = what->begin, end = what->end, length = end - begin;
    if (!bm_space_fits(begin, length))
        return -BM_ENOMEM;
    if (keep && bm_ranges_hole(begin, end, length) != begin)
        return -BM_EEXIST;
    if (bm_space_needs_memory(what) && !bm_pages_affordable(length - bm_pages_present(begin, end)))
        return -BM_ENOMEM;
    bm_ranges_remove(begin, end);
    bm_pages_drop(begin, end);
    return bm_space_add(what) ? (int64_t)begin : -BM_ENOMEM;
}

int64_t bm_space_map_range(struct bm_range *what, bool keep)
{
    BM_ASSERT_NO_HANDLER();
    uint64_t length = what->end - what->begin;
    if (!length || (length | what->begin) & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_space_lock();
    int64_t result = -BM_ENOMEM;
    if (length <= BM_PAGES_SPAN && bm_ranges_count() < BM_SPACE_RANGES && start() && bm_ranges_reserve())
        result = what->begin ? map_at(what, keep) : map_anywhere(what);
    bm_space_unlock();
    return result;
}

int64_t bm_space_map(uint64_t address, uint64_t length, unsigned protection, bool keep)
{
    struct bm_range what = {.begin = address, .end = address + length, .protection = protection};
    return bm_space_map_range(&what, keep);
}

int bm_space_unmap(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    uint64_t begin = address, end = address + length;
    if (!length || (address | length) & (BM_PAGE_SIZE - 1) || end < begin)
        return -BM_EINVAL;
    int result = 0;
    bm_space_lock();
    begin = begin > bm_space_region ? begin : bm_space_region;
    end = end < bm_space_region + BM_PAGES_SPAN ? end : bm_space_region + BM_PAGES_SPAN;
    if (bm_space_region && begin < end) {
        result = bm_ranges_reserve() ? 0 : -BM_ENOMEM;
        if (!result) {
            bm_ranges_remove(begin, end);
            bm_pages_drop(begin, end);
        }
    }
    bm_space_unlock();
    return result;
}

bool bm_space_part(uint64_t after, uint64_t end, struct bm_range *part)
{
    const struct bm_range *range = after < end ? bm_ranges_find(after) : NULL;
    if (!range)
        return false;
    *part = *range;
    part->begin = after;
    part->offset += after - range->begin;
    if (part->end > end)
        part->end = end;
    return true;
}

bool bm_space_has_image(uint64_t begin, uint64_t end)
{
    struct bm_range part;
    for (uint64_t at = begin; bm_space_part(at, end, &part); at = part.end)
        if (part.protection & BM_SPACE_IMAGE)
            return true;
    return false;
}

static bool is_mapped(uint64_t address, uint64_t length)
{
    struct bm_range range;
    bool same;
    return bm_space_region && bm_space_fits(address, length) &&
           bm_ranges_cover(address, address + length, &range, &same);
}

static void clear_part(const struct bm_range *part)
{
    if (part->protection & (BM_SPACE_SHARED | BM_SPACE_IMAGE))
        return;
    if (bm_space_is_filled_later(part))
        bm_pages_drop(part->begin, part->end);
    else
        bm_pages_clear(part->begin, part->end);
}

int bm_space_clear(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    bm_space_lock();
    bool mapped = is_mapped(address, length);
    struct bm_range part;
    for (uint64_t at = address; mapped && bm_space_part(at, address + length, &part); at = part.end)
        clear_part(&part);
    bm_space_unlock();
    return mapped ? 0 : -BM_ENOMEM;
}

bool bm_space_mapped(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    bm_space_lock();
    bool mapped = is_mapped(address, length);
    bm_space_unlock();
    return mapped;
}

int bm_space_barrier(void)
{
    BM_ASSERT_NO_HANDLER();
    bm_space_lock();
    bool possible = start();
    if (possible)
        bm_space_flush();
    bm_space_unlock();
    return possible ? 0 : -BM_ENOMEM;
}

int bm_space_place(uint64_t begin, uint64_t low)
{
    BM_ASSERT(!bm_space_region, "a space must be placed before anything is mapped");
    if (!bm_space_flush_start())
        return -BM_ENOMEM;
    bm_space_region = begin;
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
    bm_ranges_add(
        &(struct bm_range){.begin = begin,
                           .end = end,
                           .protection = BM_SPACE_READ | BM_SPACE_IMAGE | (execute ? BM_SPACE_EXECUTE : 0)});
    return 0;
}

int bm_space_map_image(uint64_t address, const void *from, uint64_t length, bool execute)
{
    BM_ASSERT_NO_HANDLER();
    if (!bm_space_region || !bm_space_fits(address, length) || (uint64_t)from & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_space_lock();
    int result = map_image(address, (uint64_t)from, length, execute);
    bm_space_unlock();
    return result;
}

bool bm_space_holds(uint64_t address)
{
    return bm_space_region && address - bm_space_region < BM_PAGES_SPAN;
}

bool bm_space_reachable(uint64_t address, uint64_t length, bool write)
{
    if (address < bm_space_region || length > BM_PAGES_SPAN ||
        address - bm_space_region > BM_PAGES_SPAN - length)
        return false;
    return bm_pages_reachable(address, address + length, write) ||
           (bm_space_touch && bm_space_touch(address, length, write));
}

bool bm_space_resident(uint64_t page)
{
    bm_space_lock();
    const struct bm_range *range = bm_ranges_find(page);
    bool resident = range && (range->object || bm_pages_present(page, page + BM_PAGE_SIZE));
    bm_space_unlock();
    return resident;
}

bool bm_space_next(uint64_t from, struct bm_space_range *found)
{
    bm_space_lock();
    const struct bm_range *range = bm_ranges;
    while (range && range->end <= from)
        range = range->next;
    if (range) {
        uint64_t begin = range->begin > from ? range->begin : from;
        *found = (struct bm_space_range){.begin = begin,
                                         .end = range->end,
                                         .protection = range->protection,
                                         .object = range->object,
                                         .offset = range->offset + (begin - range->begin)};
        if (range->object)
            bm_space_backing->hold(range->object);
    }
    bm_space_unlock();
    return range;
}
