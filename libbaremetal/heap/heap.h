// What every heap that a program may link offers to malloc and its family (libc/malloc/).
// SPDX-License-Identifier: MIT
//
// One of malloc_bump.c, malloc_list.c, malloc_block.c and libc/mimalloc/ is in a program, or none. All
// functions may be called on any core at once, but not in interrupt handlers. Memory never runs out with a
// crash: NULL says that there is none.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// A block of `size` bytes (0: as 1), aligned to 16; NULL when there is no memory.
void *bm_heap_allocate(size_t size);

// The same, filled with zeros.
void *bm_heap_allocate_zeroed(size_t size);

// The same, aligned to `alignment`, a power of two.
void *bm_heap_allocate_aligned(size_t alignment, size_t size);

// Gives a block back. Ends in a panic that names the address when the block is free already or when it is
// none of this heap.
void bm_heap_free(void *block);

// How many bytes may be used: at least as many as were asked for.
size_t bm_heap_size(const void *block);

// Makes a block larger or smaller where it is; false, and nothing has changed, when that is not possible.
bool bm_heap_resize(void *block, size_t size);
