// The heap of linked lists: malloc_list itself, and where the other heaps take their large pieces.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As their namesakes in heap.h; `word` is a block's (block.h), checked already.
void *bm_list_allocate(size_t alignment, size_t size);
void bm_list_free(uint64_t *word);
bool bm_list_resize(uint64_t *word, size_t size);
