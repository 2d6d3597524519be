// Zeroed blocks for the heaps that do not know whether memory is fresh.
// SPDX-License-Identifier: MIT
#include "heap.h"

void *bm_heap_allocate_zeroed(size_t size)
{
    void *block = bm_heap_allocate(size);
    if (block)
        __builtin_memset(block, 0, size);
    return block;
}
