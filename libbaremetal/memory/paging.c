// Page tables: mapping and looking up, for boot (identity map) and afterwards (direct map).
// SPDX-License-Identifier: MIT
#include "paging.h"

#include <stddef.h>

// Not in .bss of C's zero: boot sets these before the switch and the kernel goes on with them.
struct bm_paging_layout bm_paging_layout;
uint64_t bm_paging_offset;
uint64_t bm_paging_root;
uint64_t (*bm_paging_source)(void);
uint64_t bm_paging_supported = ~0ull;
bool bm_paging_1g;

static uint64_t *table_at(uint64_t physical)
{
    return (uint64_t *)(physical + bm_paging_offset);
}

// The entry for an address at `level` (0: 4 KiB pages … 3: the root), making tables on the way down. NULL: no
// memory, or a larger page is in the way.
static uint64_t *entry_at(uint64_t virtual, unsigned level, bool create)
{
    uint64_t *table = table_at(bm_paging_root);
    for (unsigned l = 3;; l--) {
        uint64_t *entry = &table[virtual >> (12 + 9 * l) & 511];
        if (l == level)
            return entry;
        if (!(*entry & BM_PTE_PRESENT)) {
            uint64_t page = create ? bm_paging_source() : 0;
            if (!page)
                return NULL;
            *entry = page | BM_PTE_PRESENT | BM_PTE_WRITE;
        } else if (*entry & BM_PTE_LARGE) {
            return NULL;
        }
        table = table_at(*entry & BM_PTE_ADDRESS);
    }
}

// The largest page level that fits here.
static unsigned level_for(uint64_t virtual, uint64_t physical, uint64_t length)
{
    for (unsigned level = bm_paging_1g ? 2 : 1; level > 0; level--) {
        uint64_t size = 4096ull << 9 * level;
        if (length >= size && !((virtual | physical) & (size - 1)))
            return level;
    }
    return 0;
}

bool bm_paging_map(uint64_t virtual, uint64_t physical, uint64_t length, uint64_t flags)
{
    flags &= bm_paging_supported;
    while (length) {
        unsigned level = level_for(virtual, physical, length);
        uint64_t size = 4096ull << 9 * level;
        uint64_t *entry = entry_at(virtual, level, true);
        if (!entry)
            return false;
        // Neighbouring entries of the same table need no new walk; a larger page may begin where this table
        // ends.
        uint64_t left = (4096 - ((uintptr_t)entry & 4095)) / sizeof(*entry);
        for (left = left < length / size ? left : length / size; left; left--) {
            *entry++ = physical | flags | BM_PTE_PRESENT | (level ? BM_PTE_LARGE : 0);
            virtual += size;
            physical += size;
            length -= size;
        }
    }
    return true;
}

void bm_paging_invalidate(uint64_t virtual)
{
    __asm__ volatile("invlpg (%0)" : : "r"(virtual) : "memory");
}

void bm_paging_unmap(uint64_t virtual, uint64_t length)
{
    for (uint64_t end = virtual + length; virtual < end;) {
        uint64_t size = 4096;
        if (bm_paging_lookup(virtual, &size)) {
            unsigned level = size == 4096 ? 0 : size == 1ull << 21 ? 1 : 2;
            *entry_at(virtual, level, false) = 0;
            bm_paging_invalidate(virtual);
        }
        virtual = (virtual | (size - 1)) + 1;
    }
}

uint64_t bm_paging_lookup(uint64_t virtual, uint64_t *size)
{
    uint64_t *table = table_at(bm_paging_root);
    for (int level = 3; level >= 0; level--) {
        uint64_t entry = table[virtual >> (12 + 9 * level) & 511];
        *size = 4096ull << 9 * level;
        if (!(entry & BM_PTE_PRESENT))
            return 0;
        if (level == 0 || (entry & BM_PTE_LARGE))
            return entry;
        table = table_at(entry & BM_PTE_ADDRESS);
    }
    return 0;
}
