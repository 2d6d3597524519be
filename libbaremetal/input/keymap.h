// Layouts of keyboards: what a key types.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Keys that wait for a letter, which then has the accent: as private characters of Unicode.
enum {
    BM_DEAD_GRAVE = 0xe000,
    BM_DEAD_ACUTE,
    BM_DEAD_CIRCUMFLEX,
    BM_DEAD_TILDE,
    BM_DEAD_DIAERESIS,
    BM_DEAD_END
};

enum { BM_KEYMAP_KEYS = 0x65 }; // usages below; the others type the same everywhere, or nothing

struct bm_keymap {
    const char *name;
    // By usage: alone, with Shift, with AltGr, with both; 0: as on the US keyboard, or nothing.
    uint16_t keys[BM_KEYMAP_KEYS][4];
};

// The layout of that name; NULL: there is none. Any context.
const struct bm_keymap *bm_keymap_find(const char *name);

// What a key types with Shift (bit 0) and AltGr (bit 1), a character or one of the above; 0: nothing. Any
// context.
uint32_t bm_keymap_character(const struct bm_keymap *map, uint8_t usage, unsigned level);

// A letter with an accent; 0: there is none. The accent by itself when the letter is a space. Any context.
uint32_t bm_keymap_compose(uint32_t dead, uint32_t letter);
