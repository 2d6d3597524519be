// Frame allocator, private to memory/.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Gives a range of RAM (whole pages, mapped in the direct map, used by nobody) to the allocator. At boot
// only.
void bm_frame_add(uint64_t physical, uint64_t length);

// Bytes given, and bytes free.
uint64_t bm_frame_total(void);
uint64_t bm_frame_free_bytes(void);

// Gives back a list of single frames, each leading to the next by its first word, under one lock. NULL: an
// empty one.
void bm_frame_free_list(void **list);

// Of whoever can free memory when it has ended, the balloon's driver; not in most images. Frees so many bytes
// or more, in pages that may lie apart. Returns whether it did: asking again is worth it. Not in handlers;
// locks may be held, but not the allocator's.
bool bm_frame_short(uint64_t bytes);
