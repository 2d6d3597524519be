// The pages behind the mapped ranges. Under the space's lock; addresses and lengths are whole pages.
// SPDX-License-Identifier: MIT
//
// In a range with access each page has a frame, mapped at its own address; in one that is lazy or of an
// object, only those that were touched. In one without, a page has a frame if there was access once, mapped
// at the same place of the region's other half, where nobody looks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BM_PAGES_SPAN (1ull << 40) // bytes that can be mapped: from an address to its place in the other half

// Bytes of [begin, end) that have memory, in either half.
uint64_t bm_pages_present(uint64_t begin, uint64_t end);

// Whether there is memory for so many bytes of pages, and their tables.
bool bm_pages_affordable(uint64_t bytes);

// Gives zeroed memory to the pages of [begin, end) that have none. On false, when memory ended, to some of
// them.
bool bm_pages_add(uint64_t begin, uint64_t end, unsigned protection);

// Maps a page of an object, which is not given back with the mapping, where nothing is; `constant`: it is not
// written through this mapping, however that is protected later. On false there was no memory for a table.
bool bm_pages_lend(uint64_t page, uint64_t physical, unsigned protection, bool constant);

// Maps a page of its own with `length` bytes from elsewhere and zeros behind them, in place of a constant one
// or where nothing is. On false memory ended, and what was there is.
bool bm_pages_copy(uint64_t page, const void *from, uint64_t length, unsigned protection);

// Gives the memory of [begin, end) back, of both halves, after all cores have forgotten it.
void bm_pages_drop(uint64_t begin, uint64_t end);

// Maps what stands at [from, from + length) at `to`, too. On false, when there was no memory for a table,
// nothing stands at `to`.
bool bm_pages_alias(uint64_t from, uint64_t to, uint64_t length, unsigned protection);

// Takes mappings away, not the memory. The caller flushes.
void bm_pages_forget(uint64_t begin, uint64_t end);

// Undoes bm_pages_add and bm_pages_alias of a range without access: of pages that are mapped in the other
// half only the mapping goes, of the others the memory, too.
void bm_pages_retract(uint64_t begin, uint64_t end);

// Changes the protection of pages that are mapped. The caller flushes.
void bm_pages_protect(uint64_t begin, uint64_t end, unsigned protection);

// Maps constants of the image. On false, when there was no memory for a table or they are none, nothing
// stands there.
bool bm_pages_map_image(uint64_t begin, uint64_t from, uint64_t length, bool execute);

// Whether each byte of [begin, end) can be read, or written. Needs no lock.
bool bm_pages_reachable(uint64_t begin, uint64_t end, bool write);

// Makes zeros of all memory that [begin, end) has.
void bm_pages_clear(uint64_t begin, uint64_t end);
