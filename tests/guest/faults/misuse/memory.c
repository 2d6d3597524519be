// Rules of memory.h, and of malloc's blocks.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/memory.h>
#include <stdlib.h>
#include <string.h>

// @misuse frame_twice bm_frame_free: the frame is free already
MISUSE(frame_twice)
{
    void *frame = bm_frame_allocate(0);
    bm_frame_free(frame, 0);
    bm_frame_free(frame, 0);
}

// @misuse frame_order bm_frame_free: a block must be given back with the order that it was allocated with
MISUSE(frame_order)
{
    bm_frame_free(bm_frame_allocate(2), 1);
}

// @misuse frame_inside bm_frame_free: only what bm_frame_allocate returned may be given back, once
MISUSE(frame_inside)
{
    bm_frame_free((char *)bm_frame_allocate(1) + BM_PAGE_SIZE, 0);
}

// @misuse frame_foreign bm_frame_free: only what bm_frame_allocate returned may be given back
MISUSE(frame_foreign)
{
    static _Alignas(4096) char mine[4096];
    bm_frame_free(mine, 0);
}

// @misuse_within frame_written bm_check_frame_given: a frame was written to after it had been given back
MISUSE(frame_written)
{
    char *frame = bm_frame_allocate(0);
    bm_frame_free(frame, 0);
    frame[1000] = 1;
    for (;;)
        if (!bm_frame_allocate(0))
            return;
}

// @misuse handler_allocates bm_frame_allocate_below: it must not be called in an interrupt handler
MISUSE(handler_allocates)
{
    bm_frame_allocate_below(0, 64);
}

MISUSE(allocate_in_handler)
{
    misuse_in_handler(handler_allocates);
}

// @misuse frame_limit bm_frame_allocate_below: a limit of addresses has at least 20 bits
MISUSE(frame_limit)
{
    bm_frame_allocate_below(0, 12);
}

// @misuse direct_of_nothing bm_memory_direct: the direct map has RAM alone
MISUSE(direct_of_nothing)
{
    bm_memory_direct(1ull << 50);
}

// @misuse no_segments bm_dma_segments: there is no room for segments at NULL
MISUSE(no_segments)
{
    bm_dma_segments("text", 4, NULL, 1);
}

// @misuse executable_registers bm_memory_map_device: registers are never executable
MISUSE(executable_registers)
{
    bm_memory_map_device(0xfee00000, 4096, BM_MEMORY_EXECUTE);
}

// @misuse unmap_twice bm_memory_unmap_device: only what bm_memory_map_device returned may be unmapped, once
MISUSE(unmap_twice)
{
    volatile void *registers = bm_memory_map_device(0xfed00000, 4096, BM_MEMORY_UNCACHED);
    bm_memory_unmap_device(registers, 4096);
    bm_memory_unmap_device(registers, 4096);
}

// @misuse odd_alignment bm_memory_reserve: an alignment must be a power of two
MISUSE(odd_alignment)
{
    bm_memory_reserve(3 * BM_PAGE_SIZE, BM_PAGE_SIZE);
}

// @misuse commit_unreserved bm_memory_commit: memory may only be given to addresses that bm_memory_reserve
// returned
MISUSE(commit_unreserved)
{
    char *reserved = bm_memory_reserve(BM_PAGE_SIZE, BM_PAGE_SIZE);
    bm_memory_commit(reserved - 64 * BM_PAGE_SIZE, BM_PAGE_SIZE);
}

// @misuse write_behind free: what lies behind a block of the heap must not be written to
MISUSE(write_behind)
{
    char *block = malloc(10);
    __asm__ volatile("" : "+r"(block)); // or the compiler knows that nobody reads what is freed
    memset(block, 0, 11);
    __asm__ volatile("" : "+r"(block) : : "memory");
    free(block);
}

// @misuse grow_behind realloc: what lies behind a block of the heap must not be written to
MISUSE(grow_behind)
{
    char *volatile block = malloc(100);
    memset(block, 0, 108);
    block = realloc(block, 200);
}

const struct misuse misuse_memory[] = {
    MISUSE_CASE(frame_twice),       MISUSE_CASE(frame_order),
    MISUSE_CASE(frame_inside),      MISUSE_CASE(frame_foreign),
    MISUSE_CASE(frame_written),     {"handler_allocates", allocate_in_handler},
    MISUSE_CASE(frame_limit),       MISUSE_CASE(direct_of_nothing),
    MISUSE_CASE(no_segments),       MISUSE_CASE(executable_registers),
    MISUSE_CASE(unmap_twice),       MISUSE_CASE(odd_alignment),
    MISUSE_CASE(commit_unreserved), MISUSE_CASE(write_behind),
    MISUSE_CASE(grow_behind),       MISUSE_END};
