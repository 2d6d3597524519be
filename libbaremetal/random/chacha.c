// The ChaCha20 block function (RFC 8439 section 2.3).
// SPDX-License-Identifier: MIT
// @optimize balance
#include "chacha.h"

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 7);
}

void bm_chacha_block(uint32_t state[16], uint32_t output[16])
{
    state[0] = 0x61707865; // "expand 32-byte k"
    state[1] = 0x3320646e;
    state[2] = 0x79622d32;
    state[3] = 0x6b206574;
    for (unsigned i = 0; i < 16; i++)
        output[i] = state[i];
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++) // columns
            quarter_round(output, i, 4 + i, 8 + i, 12 + i);
        for (unsigned i = 0; i < 4; i++) // diagonals
            quarter_round(output, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (unsigned i = 0; i < 16; i++)
        output[i] += state[i];
}
