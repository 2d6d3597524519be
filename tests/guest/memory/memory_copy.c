// memcpy copies exactly what it is told to, for every length and alignment near the edges of its cases.
// SPDX-License-Identifier: MIT
// @machines q35
#include <stdint.h>

#include "check.h"

enum { LENGTH_MAX = 5000, EDGE = 32, SIZE = LENGTH_MAX + 3 * EDGE };

static unsigned char from[SIZE], to[SIZE];
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static void check(size_t length, size_t source, size_t target)
{
    memset(to, 0xa5, EDGE + length + 2 * EDGE);
    CHECK(copy(to + EDGE + target, from + source, length) == to + EDGE + target);
    for (size_t at = 0; at < length + 3 * EDGE; at++) {
        size_t index = at - EDGE - target; // wraps in front of the target
        CHECK(to[at] == (index < length ? pattern(source + index) : 0xa5));
    }
}

int main(void)
{
    for (size_t at = 0; at < SIZE; at++)
        from[at] = pattern(at);
    for (size_t length = 0; length <= 160; length++)
        for (size_t source = 0; source < 8; source++)
            for (size_t target = 0; target < 8; target++)
                check(length, source, target);
    static const size_t lengths[] = {255, 256, 257, 1000, 1460, 1514, 4095, 4096, 4097, LENGTH_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
        for (size_t shift = 0; shift < 16; shift++)
            check(lengths[i], shift, 15 - shift);
    return passed();
}
