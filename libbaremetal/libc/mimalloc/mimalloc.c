// baremetal::mimalloc: heap/heap.h on mimalloc, whose heaps are one for each core.
// SPDX-License-Identifier: MIT
#include "../../heap/heap.h"

#include <baremetal/memory.h>
#include <mimalloc.h>

// mimalloc aligns what is smaller than 16 bytes to 8 only.
enum { ALIGNMENT_MIN = 16 };

// When memory ends: whether a second try is worth it, after free segments have gone back to where ranges of
// any size come from.
static bool again(size_t size)
{
    if (size > bm_memory_statistics_get().total)
        return false;
    mi_collect(true);
    return true;
}

void *bm_heap_allocate(size_t size)
{
    size = size < ALIGNMENT_MIN ? ALIGNMENT_MIN : size;
    void *block = mi_malloc(size);
    return block || !again(size) ? block : mi_malloc(size);
}

void *bm_heap_allocate_zeroed(size_t size)
{
    size = size < ALIGNMENT_MIN ? ALIGNMENT_MIN : size;
    void *block = mi_zalloc(size);
    return block || !again(size) ? block : mi_zalloc(size);
}

void *bm_heap_allocate_aligned(size_t alignment, size_t size)
{
    if (alignment <= ALIGNMENT_MIN)
        return bm_heap_allocate(size);
    void *block = mi_malloc_aligned(size, alignment);
    return block || !again(size) ? block : mi_malloc_aligned(size, alignment);
}

void bm_heap_free(void *block)
{
    mi_free(block);
}

size_t bm_heap_size(const void *block)
{
    return mi_usable_size(block);
}

bool bm_heap_resize(void *block, size_t size)
{
    return size != 0 && mi_expand(block, size);
}
