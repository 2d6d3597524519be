// The list of mapped ranges.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A range of one protection. Neighbours of the same protection are joined.
struct bm_range {
    struct bm_range *next; // by address
    uint64_t begin, end;
    unsigned protection;
};

extern struct bm_range *bm_ranges; // the first

// Makes sure that one removal and two additions find nodes. Returns false when there is no memory for that.
enum { BM_RANGES_RESERVE = 3 };
bool bm_ranges_reserve(void);

// Takes [begin, end) out of the list. Needs a reserved node when it makes a hole in a range.
void bm_ranges_remove(uint64_t begin, uint64_t end);

// Puts [begin, end), where nothing is, into the list. Needs a reserved node when it joins no neighbour.
void bm_ranges_add(uint64_t begin, uint64_t end, unsigned protection);

// The range with an address, or NULL.
struct bm_range *bm_ranges_find(uint64_t address);

// The lowest hole of so many bytes in [begin, end), or 0.
uint64_t bm_ranges_hole(uint64_t begin, uint64_t end, uint64_t length);

// Whether all of [begin, end) is in the list, with *protection that of its first range and *same whether of
// all.
bool bm_ranges_cover(uint64_t begin, uint64_t end, unsigned *protection, bool *same);
