// Addresses first, memory later: ranges of the heap's upper half, filled piece by piece.
// SPDX-License-Identifier: MIT
#include "frame.h"
#include "paging.h"

#include <baremetal/assert.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>

#include <stddef.h>

enum { LARGE_ORDER = 9, MIDDLE_ORDER = 4 };
#define LIMIT (1ull << (BM_PAGING_HEAP_BITS - 1))

static uint64_t reserved; // bytes from the region's end downwards
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

void *bm_memory_reserve(size_t alignment, size_t length)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(!(alignment & (alignment - 1)), "an alignment must be a power of two");
    if (length > LIMIT || alignment > LIMIT)
        return NULL;
    length = (length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    alignment = alignment < BM_PAGE_SIZE ? BM_PAGE_SIZE : alignment;
    uint64_t end = bm_paging_layout.heap + 2 * LIMIT;
    void *found = NULL;
    bm_spinlock_acquire(&lock);
    uint64_t address = (end - reserved - length) & ~((uint64_t)alignment - 1);
    if (address >= end - LIMIT) {
        reserved = end - address;
        found = (void *)address;
    }
    bm_spinlock_release(&lock);
    return found;
}

// Maps a zeroed block of frames where nothing is mapped yet.
static bool map_block(uint64_t virtual, unsigned order)
{
    void *block = bm_frame_allocate(order);
    if (!block)
        return false;
    __builtin_memset(block, 0, BM_PAGE_SIZE << order);
    if (bm_paging_map(virtual, (uint64_t)block - bm_paging_layout.direct, BM_PAGE_SIZE << order,
                      BM_PTE_WRITE | BM_PTE_NO_EXECUTE))
        return true;
    bm_frame_free(block, order);
    return false;
}

// Whether a block of that order begins here, lies within the range, and is not mapped in part.
static bool fits(uint64_t virtual, uint64_t end, unsigned order)
{
    uint64_t size = BM_PAGE_SIZE << order, page_size;
    if (virtual & (size - 1) || end - virtual < size)
        return false;
    for (uint64_t page = virtual; page < virtual + size; page += page_size)
        if (bm_paging_lookup(page, &page_size))
            return false;
    return true;
}

static uint64_t map_some(uint64_t virtual, uint64_t end)
{
    static const unsigned orders[] = {LARGE_ORDER, MIDDLE_ORDER, 0};
    for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (fits(virtual, end, orders[i]) && map_block(virtual, orders[i]))
            return BM_PAGE_SIZE << orders[i];
    return 0;
}

// Whether there is memory for all pages that have none; page tables will want some, too.
static bool affordable(uint64_t virtual, uint64_t end)
{
    uint64_t size, missing = 8 * BM_PAGE_SIZE;
    bool any = false;
    for (; virtual < end; virtual += BM_PAGE_SIZE)
        if (!bm_paging_lookup(virtual, &size)) {
            missing += BM_PAGE_SIZE;
            any = true;
        }
    return !any || missing <= bm_frame_free_bytes();
}

static bool map_missing(uint64_t virtual, uint64_t end)
{
    while (virtual < end) {
        uint64_t size;
        if (!bm_paging_lookup(virtual, &size))
            size = map_some(virtual, end);
        if (!size)
            return false;
        virtual = (virtual & ~(size - 1)) + size;
    }
    return true;
}

bool bm_memory_commit(void *address, size_t length)
{
    uint64_t virtual = (uint64_t)address & ~(BM_PAGE_SIZE - 1);
    uint64_t end = ((uint64_t)address + length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(virtual >= bm_paging_layout.heap + 2 * LIMIT - reserved &&
                  end <= bm_paging_layout.heap + 2 * LIMIT && virtual <= end,
              "memory may only be given to addresses that bm_memory_reserve returned");
    bm_spinlock_acquire(&lock);
    bool done = affordable(virtual, end) && map_missing(virtual, end);
    bm_spinlock_release(&lock);
    return done;
}

bool bm_memory_committed(const void *address)
{
    uint64_t size;
    return bm_paging_lookup((uint64_t)address, &size) != 0;
}
