// Frame allocator: a buddy system over each range of RAM.
// SPDX-License-Identifier: MIT
//
// A free block's first bytes hold its list links and order. A bitmap at the start of each range says which
// frames begin a free block, so that a neighbour's contents are read only when they are ours.
#include "frame.h"

#include "../check/check.h"
#include "paging.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>

#include <stddef.h>

struct block {
    struct block *next, **link; // link: the pointer that points here
    unsigned order;
    uint64_t mark; // free_mark() since it was given back last; stays when the block is joined with others
};

enum { RANGES_MAX = 160 };

static struct range {
    uint64_t first, count; // frames
    uint64_t *heads;       // bit i: frame first + i begins a free block
} ranges[RANGES_MAX];
static unsigned range_count;

static struct block *free_blocks[BM_FRAME_ORDER_MAX + 1];
static uint64_t total_frames, free_frames;
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

static uint64_t frame_of(const void *address)
{
    return ((uint64_t)address - bm_paging_layout.direct) / BM_PAGE_SIZE;
}

static struct block *block_at(uint64_t frame)
{
    return (struct block *)(bm_paging_layout.direct + frame * BM_PAGE_SIZE);
}

static struct range *range_of(uint64_t frame)
{
    for (unsigned i = 0; i < range_count; i++)
        if (frame - ranges[i].first < ranges[i].count)
            return &ranges[i];
    return NULL;
}

static void mark_head(struct range *range, uint64_t frame, bool is_head)
{
    uint64_t bit = frame - range->first;
    if (is_head)
        range->heads[bit / 64] |= 1ull << bit % 64;
    else
        range->heads[bit / 64] &= ~(1ull << bit % 64);
}

static bool is_free_block(const struct range *range, uint64_t frame, unsigned order)
{
    uint64_t bit = frame - range->first;
    return bit < range->count && (range->heads[bit / 64] >> bit % 64 & 1) && block_at(frame)->order == order;
}

static uint64_t free_mark(const struct block *block)
{
    return ~(uint64_t)block;
}

// Whether the frame lies in a free block of any order.
static bool is_free(const struct range *range, uint64_t frame)
{
    for (unsigned order = 0; order <= BM_FRAME_ORDER_MAX; order++)
        if (is_free_block(range, frame >> order << order, order))
            return true;
    return false;
}

static void insert(struct range *range, uint64_t frame, unsigned order)
{
    struct block *block = block_at(frame);
    block->order = order;
    block->next = free_blocks[order];
    block->link = &free_blocks[order];
    if (block->next)
        block->next->link = &block->next;
    free_blocks[order] = block;
    mark_head(range, frame, true);
}

static void remove(struct range *range, struct block *block)
{
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    mark_head(range, frame_of(block), false);
}

// Frees a block and joins it with its buddies as long as they are free too.
static void release(struct range *range, uint64_t frame, unsigned order)
{
    free_frames += 1ull << order;
    while (order < BM_FRAME_ORDER_MAX) {
        uint64_t buddy = frame ^ 1ull << order;
        if (!is_free_block(range, buddy, order))
            break;
        remove(range, block_at(buddy));
        frame &= ~(1ull << order);
        order++;
    }
    insert(range, frame, order);
}

// A block comes back. What is left of the mark in one that was given out since is checked, too, and found
// good.
static void give_back(void *address, unsigned order)
{
    struct block *block = address;
    uint64_t frame = frame_of(block);
    struct range *range = range_of(frame);
    if (!range)
        return;
    if (block->mark == free_mark(block) && is_free(range, frame))
        bm_panic("memory: the frame at %p is free already", address);
    block->mark = free_mark(block);
    release(range, frame, order);
}

void bm_frame_add(uint64_t physical, uint64_t length)
{
    uint64_t first = physical / BM_PAGE_SIZE, count = length / BM_PAGE_SIZE;
    uint64_t map_bytes = (count + 63) / 64 * 8 + (BM_CHECKED ? count : 0);
    uint64_t map_frames = (map_bytes + BM_PAGE_SIZE - 1) / BM_PAGE_SIZE;
    if (range_count == RANGES_MAX || count <= map_frames)
        return;
    struct range *range = &ranges[range_count++];
    *range = (struct range){first, count, (uint64_t *)block_at(first)};
    __builtin_memset(range->heads, 0, map_bytes);
    BM_CHECK(bm_check_frame_range(first, count, (uint8_t *)range->heads + (count + 63) / 64 * 8));
    uint64_t end = first + count;
    total_frames += count;
    for (uint64_t frame = first + map_frames; frame < end;) {
        unsigned order = 0;
        while (order < BM_FRAME_ORDER_MAX && !(frame >> order & 1) && frame + (2ull << order) <= end)
            order++;
        release(range, frame, order);
        frame += 1ull << order;
    }
}

// Takes a block out and gives back what is more than asked for: the lower part stays.
static void *take(struct block *block, unsigned order)
{
    uint64_t frame = frame_of(block);
    struct range *range = range_of(frame);
    unsigned have = block->order;
    remove(range, block);
    while (have > order) {
        have--;
        insert(range, frame + (1ull << have), have);
    }
    free_frames -= 1ull << order;
    return block;
}

void *bm_frame_allocate_below(unsigned order, unsigned bits)
{
    uint64_t limit = bits >= 64 ? UINT64_MAX : (1ull << bits) / BM_PAGE_SIZE;
    void *found = NULL;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(bits >= 20, "a limit of addresses has at least 20 bits");
    bm_spinlock_acquire(&lock);
    for (unsigned have = order; have <= BM_FRAME_ORDER_MAX && !found; have++) {
        struct block *block = free_blocks[have];
        while (block && frame_of(block) + (1ull << order) > limit)
            block = block->next;
        if (block)
            found = take(block, order);
    }
    if (BM_CHECKED && found)
        bm_check_frame_given(found, order);
    bm_spinlock_release(&lock);
    return found;
}

void *bm_frame_allocate(unsigned order)
{
    return bm_frame_allocate_below(order, 64);
}

void bm_frame_free(void *block, unsigned order)
{
    if (!block)
        return;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    BM_CHECK(bm_check_frame_back(__func__, block, order, __builtin_return_address(0)));
    give_back(block, order);
    bm_spinlock_release(&lock);
}

void bm_frame_free_list(void **list)
{
    if (!list)
        return;
    bm_spinlock_acquire(&lock);
    BM_CHECK(bm_check_frame_list_back(list, __builtin_return_address(0)));
    while (list) {
        void **next = *list;
        give_back(list, 0);
        list = next;
    }
    bm_spinlock_release(&lock);
}

uint64_t bm_frame_total(void)
{
    return total_frames * BM_PAGE_SIZE;
}

uint64_t bm_frame_free_bytes(void)
{
    return free_frames * BM_PAGE_SIZE;
}
