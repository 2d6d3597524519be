// Comparing memory and text, which this project's patches of musl do by more than a byte at a time: the sign
// of a plain loop's answer, and nothing is read behind the end.
// SPDX-License-Identifier: MIT
// @variants musl

#include "check.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

enum { PAGE = 4096, LENGTH_MAX = 40 };

static char *ends[2];               // of two pages, behind which nothing is mapped
static uint64_t state = 0x20261203; // of a linear congruential generator

static unsigned any(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static int plain_memory(const unsigned char *left, const unsigned char *right, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

static int plain_case(const unsigned char *left, const unsigned char *right, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int difference = lower(left[i]) - lower(right[i]);
        if (difference || !left[i])
            return difference;
    }
    return 0;
}

static void *page_end(void)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages, PAGE, PROT_READ | PROT_WRITE) == 0);
    return pages + PAGE;
}

// Every length, each place of the byte that differs, every way the two may be aligned to each other.
static void test_memcmp(void)
{
    unsigned char *left = (unsigned char *)ends[0], *right = (unsigned char *)ends[1];
    for (size_t length = 0; length <= LENGTH_MAX; length++)
        for (size_t place = 0; place <= length; place++)
            for (size_t shift = 0; shift < 8; shift++) {
                unsigned char *a = left - length, *b = right - length - shift;
                for (size_t i = 0; i < length; i++)
                    a[i] = b[i] = (unsigned char)any(256);
                for (size_t i = place; i < length; i++) // and more behind it, which counts for nothing
                    b[i] = (unsigned char)any(256);
                CHECK(sign(memcmp(a, b, length)) == sign(plain_memory(a, b, length)));
                CHECK(sign(memcmp(b, a, length)) == sign(plain_memory(b, a, length)));
            }
}

static void test_case_bytes(void)
{
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            char left[] = {(char)a, 0}, right[] = {(char)b, 0};
            int wanted = sign(plain_case((unsigned char *)left, (unsigned char *)right, 2));
            CHECK(sign(strcasecmp(left, right)) == wanted);
            CHECK(sign(strncasecmp(left, right, 1)) == wanted);
        }
}

// Few letters, so that many are the same but for their case.
static void test_case_text(void)
{
    static const char letters[] = "aAbBzZ@`[{\xc1\xe1";
    for (unsigned round = 0; round < 50000; round++) {
        size_t length = any(10), limit = any(12);
        char *left = ends[0] - length - 1, *right = ends[1] - length - 1;
        for (size_t i = 0; i < length; i++) {
            left[i] = letters[any(sizeof letters - 1)];
            right[i] = any(4) ? (char)lower(left[i]) : letters[any(sizeof letters - 1)];
        }
        left[length] = right[length] = 0;
        const unsigned char *a = (unsigned char *)left, *b = (unsigned char *)right;
        CHECK(sign(strcasecmp(left, right)) == sign(plain_case(a, b, length + 1)));
        size_t least = limit < length + 1 ? limit : length + 1;
        CHECK(sign(strncasecmp(left, right, limit)) == sign(plain_case(a, b, least)));
        if (limit <= length) // without an end
            CHECK(
                sign(strncasecmp(ends[0] - limit, ends[1] - limit, limit)) ==
                sign(plain_case((unsigned char *)ends[0] - limit, (unsigned char *)ends[1] - limit, limit)));
    }
}

int main(void)
{
    ends[0] = page_end();
    ends[1] = page_end();
    test_memcmp();
    test_case_bytes();
    test_case_text();
    return passed();
}
