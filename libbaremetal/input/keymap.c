// Layouts of keyboards. Usages name the places of a US keyboard's keys.
// SPDX-License-Identifier: MIT
#include "keymap.h"

#include <stddef.h>

#define KEY(usage_, ...) [usage_] = {__VA_ARGS__}

enum { A = 0x04, M = 0x10, Q = 0x14, W = 0x1a, Y = 0x1c, Z = 0x1d, DIGIT_1 = 0x1e };

static const struct bm_keymap keymaps[] = {
    {"us", {KEY(0x1e, '1', '!'),   KEY(0x1f, '2', '@'),   KEY(0x20, '3', '#'),   KEY(0x21, '4', '$'),
            KEY(0x22, '5', '%'),   KEY(0x23, '6', '^'),   KEY(0x24, '7', '&'),   KEY(0x25, '8', '*'),
            KEY(0x26, '9', '('),   KEY(0x27, '0', ')'),   KEY(0x28, '\r', '\r'), KEY(0x29, 0x1b, 0x1b),
            KEY(0x2a, 0x7f, 0x7f), KEY(0x2b, '\t', '\t'), KEY(0x2c, ' ', ' '),   KEY(0x2d, '-', '_'),
            KEY(0x2e, '=', '+'),   KEY(0x2f, '[', '{'),   KEY(0x30, ']', '}'),   KEY(0x31, '\\', '|'),
            KEY(0x32, '\\', '|'),  KEY(0x33, ';', ':'),   KEY(0x34, '\'', '"'),  KEY(0x35, '`', '~'),
            KEY(0x36, ',', '<'),   KEY(0x37, '.', '>'),   KEY(0x38, '/', '?'),   KEY(0x54, '/', '/'),
            KEY(0x55, '*', '*'),   KEY(0x56, '-', '-'),   KEY(0x57, '+', '+'),   KEY(0x58, '\r', '\r'),
            KEY(0x64, '\\', '|')}},
    {"de",
     {KEY(0x08, 'e', 'E', 0x20ac),
      KEY(M, 'm', 'M', 0xb5),
      KEY(Q, 'q', 'Q', '@'),
      KEY(Y, 'z', 'Z'),
      KEY(Z, 'y', 'Y'),
      KEY(0x1f, '2', '"', 0xb2),
      KEY(0x20, '3', 0xa7, 0xb3),
      KEY(0x23, '6', '&'),
      KEY(0x24, '7', '/', '{'),
      KEY(0x25, '8', '(', '['),
      KEY(0x26, '9', ')', ']'),
      KEY(0x27, '0', '=', '}'),
      KEY(0x2d, 0xdf, '?', '\\'),
      KEY(0x2e, BM_DEAD_ACUTE, BM_DEAD_GRAVE),
      KEY(0x2f, 0xfc, 0xdc),
      KEY(0x30, '+', '*', '~'),
      KEY(0x31, '#', '\''),
      KEY(0x32, '#', '\''),
      KEY(0x33, 0xf6, 0xd6),
      KEY(0x34, 0xe4, 0xc4),
      KEY(0x35, BM_DEAD_CIRCUMFLEX, 0xb0),
      KEY(0x36, ',', ';'),
      KEY(0x37, '.', ':'),
      KEY(0x38, '-', '_'),
      KEY(0x63, ',', ','),
      KEY(0x64, '<', '>', '|')}},
    {"fr",
     {KEY(A, 'q', 'Q'),
      KEY(Q, 'a', 'A'),
      KEY(W, 'z', 'Z'),
      KEY(Z, 'w', 'W'),
      KEY(M, ',', '?'),
      KEY(0x08, 'e', 'E', 0x20ac),
      KEY(DIGIT_1, '&', '1'),
      KEY(0x1f, 0xe9, '2', BM_DEAD_TILDE),
      KEY(0x20, '"', '3', '#'),
      KEY(0x21, '\'', '4', '{'),
      KEY(0x22, '(', '5', '['),
      KEY(0x23, '-', '6', '|'),
      KEY(0x24, 0xe8, '7', BM_DEAD_GRAVE),
      KEY(0x25, '_', '8', '\\'),
      KEY(0x26, 0xe7, '9', '^'),
      KEY(0x27, 0xe0, '0', '@'),
      KEY(0x2d, ')', 0xb0, ']'),
      KEY(0x2e, '=', '+', '}'),
      KEY(0x2f, BM_DEAD_CIRCUMFLEX, BM_DEAD_DIAERESIS),
      KEY(0x30, '$', 0xa3, 0xa4),
      KEY(0x31, '*', 0xb5),
      KEY(0x32, '*', 0xb5),
      KEY(0x33, 'm', 'M'),
      KEY(0x34, 0xf9, '%'),
      KEY(0x35, 0xb2, 0xb2),
      KEY(0x36, ';', '.'),
      KEY(0x37, ':', '/'),
      KEY(0x38, '!', 0xa7),
      KEY(0x64, '<', '>')}},
};

static int is_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

const struct bm_keymap *bm_keymap_find(const char *name)
{
    for (size_t i = 0; i < sizeof keymaps / sizeof *keymaps; i++)
        if (is_same(keymaps[i].name, name))
            return &keymaps[i];
    return NULL;
}

uint32_t bm_keymap_character(const struct bm_keymap *map, uint8_t usage, unsigned level)
{
    if (usage >= BM_KEYMAP_KEYS)
        return 0;
    if (map->keys[usage][0])
        return map->keys[usage][level];
    if (level > 1)
        return 0;
    if (usage >= A && usage <= Z)
        return (uint32_t)((level ? 'A' : 'a') + usage - A);
    return keymaps[0].keys[usage][level];
}

uint32_t bm_keymap_compose(uint32_t dead, uint32_t letter)
{
    static const char letters[] = "aeiouyAEIOUYnN ";
    static const uint16_t composed[BM_DEAD_END - BM_DEAD_GRAVE][sizeof letters - 1] = {
        {0xe0, 0xe8, 0xec, 0xf2, 0xf9, 0, 0xc0, 0xc8, 0xcc, 0xd2, 0xd9, 0, 0, 0, '`'},
        {0xe1, 0xe9, 0xed, 0xf3, 0xfa, 0xfd, 0xc1, 0xc9, 0xcd, 0xd3, 0xda, 0xdd, 0, 0, 0xb4},
        {0xe2, 0xea, 0xee, 0xf4, 0xfb, 0, 0xc2, 0xca, 0xce, 0xd4, 0xdb, 0, 0, 0, '^'},
        {0xe3, 0, 0, 0xf5, 0, 0, 0xc3, 0, 0, 0xd5, 0, 0, 0xf1, 0xd1, '~'},
        {0xe4, 0xeb, 0xef, 0xf6, 0xfc, 0xff, 0xc4, 0xcb, 0xcf, 0xd6, 0xdc, 0, 0, 0, 0xa8},
    };
    if (dead < BM_DEAD_GRAVE || dead >= BM_DEAD_END)
        return 0;
    for (size_t i = 0; i < sizeof letters - 1; i++)
        if ((uint32_t)letters[i] == letter)
            return composed[dead - BM_DEAD_GRAVE][i];
    return 0;
}
