// The font of the text console: glyphs of 8 by 16 pixels, made at build time (toolchain/spleen.sh).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

enum { BM_FONT_WIDTH = 8, BM_FONT_HEIGHT = 16, BM_FONT_REPLACEMENT = 0xfffd };

struct bm_font_glyph {
    uint16_t code;                // Unicode
    uint8_t rows[BM_FONT_HEIGHT]; // from the top; the highest bit is the leftmost pixel
};

extern const struct bm_font_glyph bm_font_glyphs[]; // by rising code
extern const unsigned bm_font_glyph_count;

// The rows of a character's glyph; those of the replacement character when the font has none. Any context.
const uint8_t *bm_font_find(uint32_t code);
