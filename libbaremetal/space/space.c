// The address space: mappings, and the pages behind them.
// SPDX-License-Identifier: MIT
//
// A page that has memory is in the page tables at its own address, or, while nobody has access to it, at the
// same place of the region's other half.
#include "space.h"

#include "../check/check.h"
#include "../memory/frame.h"
#include "../memory/paging.h"
#include "ranges.h"

#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>

#include <stddef.h>

#define SPAN (1ull << 40) // bytes that can be mapped

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static uint64_t region; // its first address

static bool start(void)
{
    if (!region)
        region = (uint64_t)bm_memory_reserve(2ul << 20, 2 * SPAN);
    return region != 0;
}

static bool fits(uint64_t address, uint64_t length)
{
    return length && !((address | length) & (BM_PAGE_SIZE - 1)) && length <= SPAN &&
           address - region <= SPAN - length;
}

static uint64_t flags_of(unsigned protection)
{
    return BM_PTE_NO_EXECUTE | (protection & BM_SPACE_WRITE ? BM_PTE_WRITE : 0);
}

static bool set(uint64_t page, uint64_t physical, unsigned protection)
{
    return bm_paging_map(page, physical, BM_PAGE_SIZE, flags_of(protection));
}

// Takes the frame of a page out, from wherever it is. Returns its physical address, or BM_PHYSICAL_NONE.
static uint64_t take(uint64_t page)
{
    uint64_t size, at = page, entry = bm_paging_lookup(page, &size);
    if (!entry) {
        at = page + SPAN;
        entry = bm_paging_lookup(at, &size);
    }
    if (!entry)
        return BM_PHYSICAL_NONE;
    bm_paging_unmap(at, BM_PAGE_SIZE);
    return entry & BM_PTE_ADDRESS;
}

// The first page from `page` on that may have memory: what no page table knows is passed over.
static uint64_t next_page(uint64_t page)
{
    uint64_t size, other;
    if (bm_paging_lookup(page, &size) || bm_paging_lookup(page + SPAN, &other))
        return page;
    return (page | ((size < other ? size : other) - 1)) + 1;
}

static void drop_pages(uint64_t begin, uint64_t end)
{
    void **list = NULL;
    for (uint64_t page = begin; page < end;) {
        uint64_t physical = take(page);
        if (physical == BM_PHYSICAL_NONE) {
            page = next_page(page);
            continue;
        }
        void **frame = bm_memory_direct(physical);
        *frame = list;
        list = frame;
        page += BM_PAGE_SIZE;
    }
    if (list)
        bm_space_flush();
    bm_frame_free_list(list);
}

// Of the checked build: the frames of a block come back one by one.
static inline void split(char *block, unsigned order)
{
    bm_check_frame_split(block, order);
    for (uint64_t offset = 0; offset < BM_PAGE_SIZE << order; offset += BM_PAGE_SIZE)
        bm_check_frame_reused(block + offset);
}

// Gives zeroed memory to pages that have none.
static bool add_pages(uint64_t begin, uint64_t end, unsigned protection)
{
    static const unsigned orders[] = {9, 4, 0};
    for (uint64_t page = begin; page < end;) {
        char *block = NULL;
        unsigned order = 0;
        for (unsigned i = 0; i < sizeof orders / sizeof *orders && !block; i++) {
            order = orders[i];
            if (end - page >= BM_PAGE_SIZE << order)
                block = bm_frame_allocate(order);
        }
        if (!block)
            return false;
        BM_CHECK(split(block, order));
        __builtin_memset(block, 0, BM_PAGE_SIZE << order);
        for (uint64_t offset = 0; offset < BM_PAGE_SIZE << order;
             offset += BM_PAGE_SIZE, page += BM_PAGE_SIZE) {
            if (!set(page, (uint64_t)block + offset - bm_paging_layout.direct, protection)) {
                for (; offset < BM_PAGE_SIZE << order; offset += BM_PAGE_SIZE)
                    bm_frame_free(block + offset, 0);
                return false;
            }
        }
    }
    return true;
}

static bool affordable(uint64_t length)
{
    return length + length / 512 + 8 * BM_PAGE_SIZE <= bm_frame_free_bytes();
}

static bool add_range(uint64_t address, uint64_t length, unsigned protection)
{
    if (protection && (!affordable(length) || !add_pages(address, address + length, protection))) {
        drop_pages(address, address + length);
        return false;
    }
    if (bm_ranges_add(address, address + length, protection))
        return true;
    drop_pages(address, address + length);
    return false;
}

static int64_t map_locked(uint64_t address, uint64_t length, unsigned protection, bool keep)
{
    if (!start())
        return -BM_ENOMEM;
    if (!address) {
        address = bm_ranges_hole(region, region + SPAN, length);
        return address && add_range(address, length, protection) ? (int64_t)address : -BM_ENOMEM;
    }
    if (!fits(address, length))
        return -BM_ENOMEM;
    if (keep && bm_ranges_hole(address, address + length, length) != address)
        return -BM_EEXIST;
    if (!bm_ranges_remove(address, address + length))
        return -BM_ENOMEM;
    drop_pages(address, address + length);
    return add_range(address, length, protection) ? (int64_t)address : -BM_ENOMEM;
}

int64_t bm_space_map(uint64_t address, uint64_t length, unsigned protection, bool keep)
{
    if (!length || (length | address) & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_spinlock_acquire(&lock);
    int64_t result = length > SPAN ? -BM_ENOMEM : map_locked(address, length, protection, keep);
    bm_spinlock_release(&lock);
    return result;
}

int bm_space_unmap(uint64_t address, uint64_t length)
{
    int result = -BM_EINVAL;
    bm_spinlock_acquire(&lock);
    if (region && fits(address, length)) {
        result = bm_ranges_remove(address, address + length) ? 0 : -BM_ENOMEM;
        if (!result)
            drop_pages(address, address + length);
    }
    bm_spinlock_release(&lock);
    return result;
}

// One page from what it was to what it is to be.
static bool change_page(uint64_t page, unsigned protection)
{
    uint64_t size;
    if (protection && bm_paging_lookup(page, &size)) {
        bool done = set(page, bm_paging_lookup(page, &size) & BM_PTE_ADDRESS, protection);
        __asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
        return done;
    }
    uint64_t physical = take(page);
    if (physical == BM_PHYSICAL_NONE)
        return !protection || add_pages(page, page + BM_PAGE_SIZE, protection);
    return set(protection ? page : page + SPAN, physical, protection);
}

static int protect_locked(uint64_t begin, uint64_t end, unsigned protection)
{
    unsigned before;
    bool same;
    if (!bm_ranges_cover(begin, end, &before, &same))
        return -BM_ENOMEM;
    if (same && before == protection)
        return 0;
    if (!bm_ranges_remove(begin, end) || !bm_ranges_add(begin, end, protection))
        return -BM_ENOMEM;
    bool done = true;
    for (uint64_t page = begin; page < end && done; page += BM_PAGE_SIZE)
        done = change_page(page, protection);
    bm_space_flush();
    return done ? 0 : -BM_ENOMEM;
}

int bm_space_protect(uint64_t address, uint64_t length, unsigned protection)
{
    bm_spinlock_acquire(&lock);
    int result =
        region && fits(address, length) ? protect_locked(address, address + length, protection) : -BM_ENOMEM;
    bm_spinlock_release(&lock);
    return result;
}

static int64_t move_range(uint64_t from, uint64_t length, uint64_t wanted, unsigned protection)
{
    uint64_t to = bm_ranges_hole(region, region + SPAN, wanted);
    if (!to || !add_range(to + length, wanted - length, protection))
        return -BM_ENOMEM;
    if (!bm_ranges_add(to, to + length, protection) || !bm_ranges_remove(from, from + length))
        return -BM_ENOMEM;
    uint64_t other = protection ? 0 : SPAN;
    for (uint64_t offset = 0; offset < length; offset += BM_PAGE_SIZE) {
        uint64_t physical = take(from + offset);
        if (physical != BM_PHYSICAL_NONE && !set(to + other + offset, physical, protection))
            return -BM_ENOMEM;
    }
    bm_space_flush();
    return (int64_t)to;
}

static int64_t resize_locked(uint64_t address, uint64_t length, uint64_t wanted, bool move)
{
    unsigned protection;
    bool same;
    if (!bm_ranges_cover(address, address + length, &protection, &same) || !same)
        return -BM_EFAULT;
    if (wanted <= length) {
        if (wanted < length && !bm_ranges_remove(address + wanted, address + length))
            return -BM_ENOMEM;
        drop_pages(address + wanted, address + length);
        return (int64_t)address;
    }
    uint64_t more = wanted - length, behind = address + length;
    if (fits(behind, more) && bm_ranges_hole(behind, behind + more, more) == behind)
        return add_range(behind, more, protection) ? (int64_t)address : -BM_ENOMEM;
    return move ? move_range(address, length, wanted, protection) : -BM_ENOMEM;
}

int64_t bm_space_resize(uint64_t address, uint64_t length, uint64_t wanted, bool move)
{
    int64_t result = -BM_EFAULT;
    if (!wanted || wanted & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    bm_spinlock_acquire(&lock);
    if (region && fits(address, length))
        result = wanted > SPAN ? -BM_ENOMEM : resize_locked(address, length, wanted, move);
    bm_spinlock_release(&lock);
    return result;
}

int bm_space_clear(uint64_t address, uint64_t length)
{
    unsigned protection;
    bool same;
    int result = -BM_ENOMEM;
    bm_spinlock_acquire(&lock);
    if (region && fits(address, length) && bm_ranges_cover(address, address + length, &protection, &same)) {
        result = 0;
        for (uint64_t page = address, size; page < address + length; page += BM_PAGE_SIZE) {
            uint64_t entry = bm_paging_lookup(page, &size);
            if (!entry)
                entry = bm_paging_lookup(page + SPAN, &size);
            if (entry)
                __builtin_memset(bm_memory_direct(entry & BM_PTE_ADDRESS), 0, BM_PAGE_SIZE);
        }
    }
    bm_spinlock_release(&lock);
    return result;
}

bool bm_space_mapped(uint64_t address, uint64_t length)
{
    unsigned protection;
    bool same;
    bm_spinlock_acquire(&lock);
    bool mapped =
        region && fits(address, length) && bm_ranges_cover(address, address + length, &protection, &same);
    bm_spinlock_release(&lock);
    return mapped;
}
