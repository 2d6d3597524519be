// Names for addresses, when the image carries its symbols.
// SPDX-License-Identifier: MIT
//
// The section .bm_symbols, as cmake/README.md describes it: a count, that many pairs of (offset of a function
// from the image's first byte, offset of its name from the end of the pairs), sorted, then the names.
#include "symbols.h"

#include <stddef.h>

struct symbol {
    uint32_t offset, name;
};

extern const char bm_image_begin[], bm_constants_begin[];
extern const uint32_t bm_symbols_begin[], bm_symbols_end[];

bool bm_symbols_in_image(uint64_t address)
{
    return address >= (uint64_t)bm_image_begin && address < (uint64_t)bm_constants_begin;
}

uint64_t bm_symbols_offset(uint64_t address)
{
    return address - (uint64_t)bm_image_begin;
}

bool bm_symbols_present(void)
{
    return (uintptr_t)bm_symbols_end > (uintptr_t)bm_symbols_begin;
}

const char *bm_symbols_find(uint64_t address, uint64_t *distance)
{
    if (!bm_symbols_present() || !bm_symbols_in_image(address))
        return NULL;
    const struct symbol *symbols = (const void *)(bm_symbols_begin + 1);
    uint64_t offset = bm_symbols_offset(address);
    uint32_t low = 0, high = bm_symbols_begin[0]; // the answer is the last symbol at or below the offset
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (symbols[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    *distance = offset - symbols[low - 1].offset;
    return (const char *)(symbols + bm_symbols_begin[0]) + symbols[low - 1].name;
}
