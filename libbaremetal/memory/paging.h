// Page tables: mapping and looking up, for boot (identity map) and afterwards (direct map).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Page table entry bits (Intel SDM volume 3, section 4.5).
#define BM_PTE_PRESENT       (1ull << 0)
#define BM_PTE_WRITE         (1ull << 1)
#define BM_PTE_WRITE_THROUGH (1ull << 3)
#define BM_PTE_NO_CACHE      (1ull << 4)
#define BM_PTE_LARGE         (1ull << 7)
#define BM_PTE_NO_EXECUTE    (1ull << 63)
#define BM_PTE_ADDRESS       0x000ffffffffff000ull

// The regions of virtual addresses. Each has a random base, chosen at boot, within its part of the upper
// half.
struct bm_paging_layout {
    uint64_t direct;        // RAM's physical address 0
    uint64_t direct_length; // up to the end of RAM
    uint64_t image;         // first byte of the image
    uint64_t device;        // device mappings and stacks, growing upwards
    uint64_t heap;          // growing upwards
};
extern struct bm_paging_layout bm_paging_layout;

enum {
    BM_PAGING_DIRECT_BITS = 45, // RAM up to 32 TiB can be in the direct map
    BM_PAGING_HEAP_BITS = 43    // the heap may grow to 8 TiB
};

// Where page tables are found: virtual = physical + this. 0 during boot.
extern uint64_t bm_paging_offset;
// The tree in use (the value of CR3).
extern uint64_t bm_paging_root;
// Gives a zeroed page for a table: its physical address, or 0 when memory has ended.
extern uint64_t (*bm_paging_source)(void);
// Entry bits that this CPU has: without NX, BM_PTE_NO_EXECUTE must not be set.
extern uint64_t bm_paging_supported;
// Largest page that this CPU has: 1 GiB pages are optional.
extern bool bm_paging_1g;

// Maps physical[length] at the virtual address with the largest pages that fit; all whole pages. Where pages
// of that size are mapped, they are replaced, and the caller invalidates them. Returns false when a page
// table could not be had; part of the range is then mapped.
bool bm_paging_map(uint64_t virtual, uint64_t physical, uint64_t length, uint64_t flags);

// Removes mappings; tables are kept. Large pages must be wholly inside the range.
void bm_paging_unmap(uint64_t virtual, uint64_t length);

// Makes this core forget what it knows of a page.
void bm_paging_invalidate(uint64_t virtual);

// Looks up an address: its entry (0 when not mapped) and, in *size, the size of its page.
uint64_t bm_paging_lookup(uint64_t virtual, uint64_t *size);
