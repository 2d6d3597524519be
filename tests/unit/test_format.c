// The log's formatter: every conversion, flags, cut output.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/base/format.c
#include <baremetal/log.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// The host's printf knows the same conversions: both must say the same.
#define SAME(...)                                                                                            \
    do {                                                                                                     \
        char ours[256], theirs[256];                                                                         \
        int length = bm_format(ours, sizeof(ours), __VA_ARGS__);                                             \
        assert_int_equal(length, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                             \
        assert_string_equal(ours, theirs);                                                                   \
    } while (0)

static void integers(void **state)
{
    (void)state;
    SAME("%d %d %d %i", 0, INT_MAX, INT_MIN, -7);
    SAME("%u %x %X", UINT_MAX, 0xdeadbeef, 0xdeadbeef);
    SAME("%ld %lld %lu %llu", LONG_MIN, LLONG_MAX, ULONG_MAX, ULLONG_MAX);
    SAME("%zu %zx", SIZE_MAX, (size_t)255);
    SAME("%lx %llX", 0x123456789abcdeful, 0xfedcba987654321ull);
}

static void fields(void **state)
{
    (void)state;
    SAME("[%5d] [%-5d] [%05d] [%2d]", 42, 42, 42, 12345);
    SAME("[%5d] [%-5d] [%05d]", -42, -42, -42);
    SAME("[%08x] [%8x] [%-8x]", 0xabcu, 0xabcu, 0xabcu);
    SAME("[%*d] [%*d]", 6, 7, -6, 7);
    SAME("[%c] [%3c] [%-3c] %%", 'a', 'b', 'c');
    char text[16];
    const char *volatile both = "[%-04d]"; // a host compiler warns of the pair; `-` wins
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    assert_int_equal(bm_format(text, sizeof(text), both, 7), 6);
#pragma GCC diagnostic pop
    assert_string_equal(text, "[7   ]");
}

static void strings(void **state)
{
    (void)state;
    SAME("[%s] [%6s] [%-6s]", "abc", "abc", "abc");
    SAME("[%.2s] [%.*s] [%.0s] [%5.1s]", "abc", 1, "xyz", "none", "cut");
    SAME("[%.*s]", -1, "negative means whole");
    char unterminated[3] = {'a', 'b', 'c'}; // a precision bounds what is read
    char text[8];
    assert_int_equal(bm_format(text, sizeof(text), "%.3s", unterminated), 3);
    assert_string_equal(text, "abc");
    const char *volatile nothing = NULL;
    assert_int_equal(bm_format(text, sizeof(text), "%s", nothing), 6);
    assert_string_equal(text, "(null)");
}

static void pointers(void **state)
{
    (void)state;
    SAME("%p", (void *)0x1234abcd);
}

static void cut(void **state)
{
    (void)state;
    char text[8] = "???????";
    assert_int_equal(bm_format(text, 4, "%s-%d", "abcdef", 12), 9);
    assert_memory_equal(text, "abc\0???", 8);
    assert_int_equal(bm_format(text, 1, "%d", 123), 3);
    assert_int_equal(text[0], 0);
}

// The compiler would warn of these, but a log call must survive them.
static void nonsense(void **state)
{
    (void)state;
    const char *volatile formats[] = {"100%", "%", "%q", "%-0", "%99999999999999d|"};
    char text[32];
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        const char *format = formats[i];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
        assert_true(bm_format(text, sizeof(text), format, 5) < 5000);
#pragma GCC diagnostic pop
        assert_true(strlen(text) < sizeof(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers), cmocka_unit_test(fields), cmocka_unit_test(strings),
        cmocka_unit_test(pointers), cmocka_unit_test(cut),    cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
