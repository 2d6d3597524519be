// The stack's memory.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

// Any context but handlers, with or without the core lock.
void *bm_net_allocate(size_t size);
void *bm_net_allocate_zeroed(size_t count, size_t size);
void bm_net_free(void *memory);
size_t bm_net_memory_size(void *memory); // bytes that it has, at least those asked for; 0 for a large one
