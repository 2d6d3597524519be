// Checksums of ext4 and its journal.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

enum { POLYNOMIAL_16 = 0xa001, FEATURES = 1, SSE4_2 = 1 << 20 };

#define POLYNOMIAL_32C 0x82f63b78u

static uint32_t table[256];
static enum { UNKNOWN, BY_TABLE, BY_INSTRUCTION } way;

static bool has_instruction(void)
{
    uint32_t a = FEATURES, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c & SSE4_2;
}

// Whoever comes first; two that come first write the same.
static void begin(void)
{
    for (uint32_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t crc = i;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL_32C : 0);
        table[i] = crc;
    }
    __atomic_store_n(&way, has_instruction() ? BY_INSTRUCTION : BY_TABLE, __ATOMIC_RELEASE);
}

uint32_t bm_ext4_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    if (__atomic_load_n(&way, __ATOMIC_ACQUIRE) == UNKNOWN)
        begin();
    if (__atomic_load_n(&way, __ATOMIC_ACQUIRE) == BY_INSTRUCTION) {
        uint64_t wide = crc;
        for (; size >= sizeof wide; size -= sizeof wide, at += sizeof wide) {
            uint64_t word;
            __builtin_memcpy(&word, at, sizeof word);
            __asm__("crc32q %1, %0" : "+r"(wide) : "rm"(word));
        }
        crc = (uint32_t)wide;
    }
    for (; size; size--)
        crc = crc >> 8 ^ table[(uint8_t)(crc ^ *at++)];
    return crc;
}

uint32_t bm_ext4_crc16(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (; size; size--) {
        crc ^= *at++;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL_16 : 0);
    }
    return crc;
}
