// The checked build's fence behind each block of a heap: who writes behind his block is found out when it is
// given back.
// SPDX-License-Identifier: MIT
//
// The block's last word is the size that was asked for; the bytes between that size and the word hold a
// pattern. In other builds these functions are empty.
#pragma once

#include "../../check/check.h"
#include "../../heap/heap.h"

#include <stdint.h>

enum { GUARD_FENCE = 8, GUARD_WORD = sizeof(uint64_t) };

// What to ask the heap for.
static inline size_t guard_room(size_t size)
{
    return BM_CHECKED && size < SIZE_MAX / 2 ? size + GUARD_FENCE + GUARD_WORD : size;
}

// A block of the heap, or NULL, becomes the program's.
static inline void *guard_begin(void *block, size_t size)
{
    if (BM_CHECKED && block)
        bm_guard_begin(block, size, bm_heap_size(block));
    return block;
}

// The size of a block of the program's, whose fence is whole.
static inline size_t guard_size(const void *block, const char *function, const void *caller)
{
    return BM_CHECKED ? bm_guard_check(block, bm_heap_size(block), function, caller) : 0;
}

// A block is about to be given back.
static inline void guard_end(void *block, const char *function, const void *caller)
{
    if (BM_CHECKED && block)
        bm_guard_end(block, guard_size(block, function, caller), function, caller);
}
