// Finding glyphs.
// SPDX-License-Identifier: MIT
#include "font.h"

#include <stddef.h>

static const uint8_t *find(uint32_t code)
{
    unsigned low = 0, high = bm_font_glyph_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (bm_font_glyphs[middle].code == code)
            return bm_font_glyphs[middle].rows;
        if (bm_font_glyphs[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const uint8_t *bm_font_find(uint32_t code)
{
    const uint8_t *rows = find(code);
    if (!rows)
        rows = find(BM_FONT_REPLACEMENT);
    return rows ? rows : bm_font_glyphs[0].rows;
}
