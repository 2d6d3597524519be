// malloc_list: the heap of linked lists alone. Least memory, one lock.
// SPDX-License-Identifier: MIT
// @optimize speed
#include "block.h"
#include "heap.h"
#include "list.h"

void *bm_heap_allocate(size_t size)
{
    return bm_list_allocate(BM_BLOCK_UNIT, size);
}

void *bm_heap_allocate_aligned(size_t alignment, size_t size)
{
    return bm_list_allocate(alignment, size);
}

void bm_heap_free(void *block)
{
    bm_list_free(bm_block_of_program(block));
}

size_t bm_heap_size(const void *block)
{
    return bm_block_size(bm_block_of_program(block)) - sizeof(uint64_t);
}

bool bm_heap_resize(void *block, size_t size)
{
    return bm_list_resize(bm_block_of_program(block), size);
}
