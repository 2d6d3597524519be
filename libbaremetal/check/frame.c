// A byte for each frame: free, or what block begins here; and a pattern in what was given back.
// SPDX-License-Identifier: MIT
//
// All but the cache's calls come under the frame allocator's lock.
#include "../memory/paging.h"
#include "check.h"

#include <baremetal/memory.h>

enum {
    FREE = 0,      // never given out, or part of a block
    HEAD = 1,      // + order: a block that was given out begins here
    POISONED = 64, // given back, and full of the pattern but for the allocator's own words
    KEPT = 65,     // in a cache
    RANGES_MAX = 160,
    POISON_ORDER_MAX = 4, // larger blocks are not filled
    OWN_WORDS = 64        // bytes at a free block's start that are the allocator's
};

static struct {
    uint64_t first, count;
    uint8_t *states;
} ranges[RANGES_MAX];
static unsigned range_count;

void bm_check_frame_range(uint64_t first, uint64_t count, uint8_t *states)
{
    if (range_count < RANGES_MAX) {
        ranges[range_count].first = first;
        ranges[range_count].count = count;
        ranges[range_count++].states = states;
    }
}

// The state of a frame; NULL: it is none of the allocator's.
static uint8_t *state_of(const void *address)
{
    uint64_t frame = ((uint64_t)address - bm_paging_layout.direct) / BM_PAGE_SIZE;
    for (unsigned i = 0; i < range_count; i++)
        if (frame - ranges[i].first < ranges[i].count)
            return &ranges[i].states[frame - ranges[i].first];
    return NULL;
}

static bool untouched(const void *frame)
{
    return bm_check_poisoned((const char *)frame + OWN_WORDS, BM_PAGE_SIZE - OWN_WORDS);
}

void bm_check_frame_given(const void *block, unsigned order)
{
    uint8_t *states = state_of(block);
    if (!states)
        return;
    for (uint64_t i = 0; i < 1ull << order; i++) {
        BM_ASSERT_HERE(states[i] != POISONED || untouched((const char *)block + i * BM_PAGE_SIZE),
                       "a frame was written to after it had been given back");
        states[i] = FREE;
    }
    states[0] = (uint8_t)(HEAD + order);
}

void bm_check_frame_back(const char *function, void *block, unsigned order, const void *caller)
{
    uint8_t *states = state_of(block);
    BM_ASSERT_OF(function, order <= BM_FRAME_ORDER_MAX, "an order is at most BM_FRAME_ORDER_MAX", caller);
    BM_ASSERT_OF(function, states && (uintptr_t)block % BM_PAGE_SIZE == 0,
                 "only what bm_frame_allocate returned may be given back", caller);
    BM_ASSERT_OF(function, *states != POISONED && *states != KEPT, "the frame is free already", caller);
    BM_ASSERT_OF(function, *states != FREE, "only what bm_frame_allocate returned may be given back, once",
                 caller);
    BM_ASSERT_OF(function, *states == HEAD + order,
                 "a block must be given back with the order that it was allocated with", caller);
    BM_ASSERT_OF(function, !bm_check_work_within(block, BM_PAGE_SIZE << order),
                 "memory must not be given back while a submitted item lies in it", caller);
    bool fill = order <= POISON_ORDER_MAX;
    if (fill)
        bm_check_poison(block, BM_PAGE_SIZE << order);
    for (uint64_t i = 0; i < 1ull << order; i++)
        states[i] = fill ? POISONED : FREE;
}

void bm_check_frame_list_back(void **list, const void *caller)
{
    for (; list; list = *list) {
        void **next = *list;
        uint8_t *state = state_of(list);
        if (state && *state == KEPT)
            *state = HEAD;
        bm_check_frame_back("bm_frame_free_list", list, 0, caller);
        *list = next; // the pattern lies behind it
    }
}

void bm_check_frame_split(const void *block, unsigned order)
{
    uint8_t *states = state_of(block);
    for (uint64_t i = 0; states && i < 1ull << order; i++)
        states[i] = i ? KEPT : HEAD;
}

void bm_check_frame_kept(void *frame, const void *caller)
{
    uint8_t *state = state_of(frame);
    BM_ASSERT_OF("bm_frame_free", state && (uintptr_t)frame % BM_PAGE_SIZE == 0,
                 "only what bm_frame_allocate returned may be given back", caller);
    BM_ASSERT_OF("bm_frame_free", *state != KEPT && *state != POISONED, "the frame is free already", caller);
    BM_ASSERT_OF("bm_frame_free", *state == HEAD,
                 "a block must be given back with the order that it was allocated with", caller);
    bm_check_poison(frame, BM_PAGE_SIZE);
    *state = KEPT;
}

void bm_check_frame_reused(const void *frame)
{
    uint8_t *state = frame ? state_of(frame) : NULL;
    if (state)
        *state = HEAD;
}
