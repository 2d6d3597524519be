// The list of mapped ranges. Under the space's lock.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A range of one protection and kind. Neighbours that go on with the same are joined.
struct bm_range {
    struct bm_range *next; // by address
    uint64_t begin, end;
    unsigned protection; // enum bm_space_protection
    void *object;        // whose pages stand there, with a reference; NULL: the range's own
    uint64_t offset;     // of `begin` in the object, bytes
};

extern struct bm_range *bm_ranges; // the first

// Makes sure that one removal and two additions find nodes. Returns false when there is no memory for that.
enum { BM_RANGES_RESERVE = 4 };
bool bm_ranges_reserve(void);

// Takes [begin, end) out of the list. Needs up to two reserved nodes, and gives one back then.
void bm_ranges_remove(uint64_t begin, uint64_t end);

// Puts a range, where nothing is, into the list, which takes its reference to the object over. `next` is of
// no meaning. Needs a reserved node.
void bm_ranges_add(const struct bm_range *what);

// Gives all of [begin, end), which is in the list, another access. Needs two reserved nodes.
void bm_ranges_protect(uint64_t begin, uint64_t end, unsigned access);

// Marks what of [begin, end) is in the list as locked, or not. Needs two reserved nodes.
void bm_ranges_mark_locked(uint64_t begin, uint64_t end, bool locked);

// How many there are.
unsigned bm_ranges_count(void);

// The range with an address, or NULL.
struct bm_range *bm_ranges_find(uint64_t address);

// The lowest hole of so many bytes in [begin, end), or 0.
uint64_t bm_ranges_hole(uint64_t begin, uint64_t end, uint64_t length);

// Whether all of [begin, end) is in the list, with *first its first range and *same whether all go on with
// the same.
bool bm_ranges_cover(uint64_t begin, uint64_t end, struct bm_range *first, bool *same);

// An object whose range is gone, to be given back outside of the lock; NULL: there is none.
void *bm_ranges_dead(void);
