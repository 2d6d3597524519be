// malloc and its family on the heap that the program links (heap/heap.h), in place of the C library's.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// All in one file, so that no part of the C library's own heap is linked beside this one.
#include "../../heap/heap.h"
#include "guard.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *or_no_memory(void *block)
{
    if (!block)
        errno = ENOMEM;
    return block;
}

static bool power_of_two(size_t number)
{
    return number && !(number & (number - 1));
}

void *malloc(size_t size)
{
    return or_no_memory(guard_begin(bm_heap_allocate(guard_room(size)), size));
}

void free(void *block)
{
    guard_end(block, __func__, __builtin_return_address(0));
    if (block)
        bm_heap_free(block);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return or_no_memory(NULL);
    return or_no_memory(guard_begin(bm_heap_allocate_zeroed(guard_room(bytes)), bytes));
}

// As in both C libraries, size 0 gives the block back.
void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    if (size == 0) {
        guard_end(block, __func__, __builtin_return_address(0));
        bm_heap_free(block);
        return NULL;
    }
    size_t kept = guard_size(block, __func__, __builtin_return_address(0));
    if (bm_heap_resize(block, guard_room(size)))
        return guard_begin(block, size);
    void *moved = malloc(size);
    if (moved) {
        size_t had = BM_CHECKED ? kept : bm_heap_size(block);
        memcpy(moved, block, had < size ? had : size);
        guard_end(block, __func__, __builtin_return_address(0));
        bm_heap_free(block);
    }
    return moved;
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return or_no_memory(NULL);
    return realloc(block, bytes);
}

void *memalign(size_t alignment, size_t size)
{
    if (!power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return or_no_memory(guard_begin(bm_heap_allocate_aligned(alignment, guard_room(size)), size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (!power_of_two(alignment) || alignment < sizeof(void *))
        return EINVAL;
    void *found = guard_begin(bm_heap_allocate_aligned(alignment, guard_room(size)), size);
    if (!found)
        return ENOMEM;
    *block = found;
    return 0;
}

size_t malloc_usable_size(void *block)
{
    if (BM_CHECKED && block)
        return guard_size(block, __func__, __builtin_return_address(0));
    return block ? bm_heap_size(block) : 0;
}

#ifdef BM_LIBC_NEWLIB // its own code calls these

#include <reent.h>

void *_malloc_r(struct _reent *state, size_t size)
{
    (void)state;
    return malloc(size);
}

void _free_r(struct _reent *state, void *block)
{
    (void)state;
    free(block);
}

void *_calloc_r(struct _reent *state, size_t count, size_t size)
{
    (void)state;
    return calloc(count, size);
}

void *_realloc_r(struct _reent *state, void *block, size_t size)
{
    (void)state;
    return realloc(block, size);
}

void *_memalign_r(struct _reent *state, size_t alignment, size_t size)
{
    (void)state;
    return memalign(alignment, size);
}

size_t _malloc_usable_size_r(struct _reent *state, void *block)
{
    (void)state;
    return malloc_usable_size(block);
}
#endif
