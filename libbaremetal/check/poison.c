// Memory that was given back holds a pattern, so that reading it shows and writing it is found out.
// SPDX-License-Identifier: MIT
#include <baremetal/assert.h>

#include <stdint.h>

enum { POISON = 0xdb };

void bm_check_poison(void *begin, size_t size)
{
    __builtin_memset(begin, POISON, size);
}

bool bm_check_poisoned(const void *begin, size_t size)
{
    const unsigned char *bytes = begin;
    // By words where they lie so; most of it does.
    const uint64_t word = 0x0101010101010101ull * POISON;
    for (; size && (uintptr_t)bytes % sizeof word; bytes++, size--)
        if (*bytes != POISON)
            return false;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word)
        if (*(const uint64_t *)(const void *)bytes != word)
            return false;
    for (; size; bytes++, size--)
        if (*bytes != POISON)
            return false;
    return true;
}
