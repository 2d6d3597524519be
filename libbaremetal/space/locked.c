// Locked ranges (mlock). No page ever leaves memory, so they are only counted, for limits and for who asks.
// SPDX-License-Identifier: MIT
#include "inside.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>

// Bytes of [begin, end) that are mapped, and locked or not.
static uint64_t count(uint64_t begin, uint64_t end, bool locked)
{
    uint64_t bytes = 0;
    for (const struct bm_range *range = bm_ranges; range && range->begin < end; range = range->next) {
        uint64_t from = range->begin > begin ? range->begin : begin;
        uint64_t to = range->end < end ? range->end : end;
        if (from < to && !(range->protection & BM_SPACE_LOCKED) == !locked)
            bytes += to - from;
    }
    return bytes;
}

uint64_t bm_space_locked(uint64_t address, uint64_t length)
{
    BM_ASSERT_NO_HANDLER();
    bm_space_lock();
    uint64_t bytes = count(address, address + length, true);
    bm_space_unlock();
    return bytes;
}

int bm_space_lock_pages(uint64_t address, uint64_t length, bool locked, uint64_t limit)
{
    BM_ASSERT_NO_HANDLER();
    uint64_t end = address + length;
    int result = 0;
    bm_space_lock();
    uint64_t wanted = locked ? count(0, UINT64_MAX, true) + count(address, end, false) : 0;
    if (wanted > limit || !bm_ranges_reserve())
        result = -BM_ENOMEM;
    else
        bm_ranges_mark_locked(address, end, locked);
    bm_space_unlock();
    return result;
}
