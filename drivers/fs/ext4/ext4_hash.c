// Hashes of names in a directory's index: what ext3 had first, MD4 with half of its rounds, and TEA.
// SPDX-License-Identifier: MIT
//
// After "directory hash" in Linux' documentation, RFC 1320 (MD4) and "TEA, a Tiny Encryption Algorithm"
// (Wheeler and Needham, 1994).
#include "ext4_core.h"

#include <baremetal/error.h>

enum { MD4_WORDS = 8, TEA_WORDS = 4, TEA_ROUNDS = 16 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t character(const char *name, bool is_unsigned)
{
    return is_unsigned ? (uint32_t)(unsigned char)*name : (uint32_t)(int32_t)(signed char)*name;
}

// The words of a name's part, the rest filled with its length.
static void fill(const char *name, size_t length, bool is_unsigned, uint32_t *words, unsigned count)
{
    uint32_t pad = (uint32_t)length | (uint32_t)length << 8, word;
    size_t at = 0, end = length < 4 * count ? length : 4 * count;
    pad |= pad << 16;
    for (unsigned i = 0; i < count; i++) {
        word = pad;
        for (unsigned byte = 0; byte < 4 && at < end; byte++, at++)
            word = character(name + at, is_unsigned) + (word << 8);
        words[i] = word;
    }
}

static uint32_t choose(unsigned round, uint32_t x, uint32_t y, uint32_t z)
{
    return round == 0 ? z ^ (x & (y ^ z)) : round == 1 ? (x & y) + ((x ^ y) & z) : x ^ y ^ z;
}

static void md4(uint32_t hash[4], const uint32_t words[MD4_WORDS])
{
    static const uint8_t orders[3][MD4_WORDS] = {
        {0, 1, 2, 3, 4, 5, 6, 7}, {1, 3, 5, 7, 0, 2, 4, 6}, {3, 7, 2, 6, 1, 5, 0, 4}};
    static const uint8_t shifts[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
    static const uint32_t constants[3] = {0, 0x5a827999, 0x6ed9eba1};
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < MD4_WORDS; i++) {
            uint32_t sum = a + choose(round, b, c, d) + words[orders[round][i]] + constants[round];
            a = d, d = c, c = b;
            b = rotate(sum, shifts[round][i % 4]);
        }
    hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d;
}

static void tea(uint32_t hash[4], const uint32_t words[TEA_WORDS])
{
    uint32_t x = hash[0], y = hash[1], sum = 0;
    for (unsigned i = 0; i < TEA_ROUNDS; i++) {
        sum += 0x9e3779b9;
        x += ((y << 4) + words[0]) ^ (y + sum) ^ ((y >> 5) + words[1]);
        y += ((x << 4) + words[2]) ^ (x + sum) ^ ((x >> 5) + words[3]);
    }
    hash[0] += x, hash[1] += y;
}

static uint32_t legacy(const char *name, size_t length, bool is_unsigned)
{
    uint32_t hash = 0x12a3fe2d, before = 0x37abe8f9;
    for (size_t i = 0; i < length; i++) {
        uint32_t next = before + (hash ^ character(name + i, is_unsigned) * 7152373);
        if (next & 0x80000000)
            next -= 0x7fffffff;
        before = hash;
        hash = next;
    }
    return hash << 1;
}

int bm_ext4_hash(const struct ext4_super *super, uint32_t version, const char *name, size_t length,
                 uint32_t *result)
{
    bool is_unsigned = version >= EXT4_HASH_UNSIGNED;
    uint32_t kind = is_unsigned ? version - EXT4_HASH_UNSIGNED : version;
    uint32_t hash[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}, words[MD4_WORDS];
    if (super->hash_seed[0] | super->hash_seed[1] | super->hash_seed[2] | super->hash_seed[3])
        __builtin_memcpy(hash, super->hash_seed, sizeof hash);
    if (kind > EXT4_HASH_TEA)
        return -BM_EOPNOTSUPP;
    unsigned count = kind == EXT4_HASH_TEA ? TEA_WORDS : MD4_WORDS;
    for (size_t at = 0; kind != EXT4_HASH_LEGACY && at < length; at += 4 * count) {
        fill(name + at, length - at, is_unsigned, words, count);
        if (kind == EXT4_HASH_TEA)
            tea(hash, words);
        else
            md4(hash, words);
    }
    uint32_t value = kind == EXT4_HASH_LEGACY     ? legacy(name, length, is_unsigned)
                     : kind == EXT4_HASH_HALF_MD4 ? hash[1]
                                                  : hash[0];
    value &= ~1u; // the lowest bit says that the leaf before has names with this hash, too
    *result = value == 0xfffffffe ? 0xfffffffc : value;
    return 0;
}
