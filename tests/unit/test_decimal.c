// Exact digits and exact values of floating-point numbers, beside the host's printf and strtod.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/libc/decimal.c
// @includes libbaremetal/libc
#include "decimal.h"

#include <float.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT = 20000, NUMBERS = 4000 };

static uint64_t seed = 88172645463325252;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

// A long double of any size, or with `narrow` a double.
static long double draw_number(int narrow)
{
    const uint64_t mantissa = draw() | (uint64_t)1 << 63;
    const int exponent = narrow ? (int)(draw() % 2000) - 1060 : (int)(draw() % 32000) - 16400;
    const long double result = __builtin_ldexpl((long double)mantissa, exponent - 63);
    return narrow ? (double)result : result;
}

// The number as printf's %e or, with `fixed`, %f writes it.
static void print(long double value, int count, bool fixed, char *out)
{
    const struct bm_decimal_parts parts = bm_decimal_split(value);
    const int wanted = fixed ? count : count + 1;
    const unsigned room = bm_decimal_room(parts, wanted, fixed);
    char *digits = malloc(room); // exactly, so that the sanitizer sees a byte too far
    int exponent;
    const int got = bm_decimal_digits(parts, wanted, fixed, digits, &exponent);
    assert_true(got >= 0 && (unsigned)got <= room);
    const int first = fixed && exponent < 0 ? 0 : exponent, last = fixed ? -count : exponent - count;
    for (int power = first; power >= last; power--) {
        const int index = exponent - power;
        if (power == (fixed ? -1 : exponent - 1))
            *out++ = '.';
        *out++ = index >= 0 && index < got ? digits[index] : '0';
    }
    free(digits);
    if (fixed)
        *out = 0;
    else
        sprintf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void check_digits(long double value, int count, bool fixed)
{
    static char got[TEXT], wanted[TEXT];
    print(value, count, fixed, got);
    snprintf(wanted, sizeof wanted, fixed ? "%.*Lf" : "%.*Le", count, value);
    assert_string_equal(got, wanted);
}

static void check_value(const char *text)
{
    struct bm_decimal_number number = {0};
    int ten = 0;
    bool point = false;
    const char *at = text;
    for (; *at && *at != 'e'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        bm_decimal_append(&number, 10, (unsigned)(*at - '0'));
        ten -= point;
    }
    ten += number.dropped + (*at == 'e' ? atoi(at + 1) : 0);
    assert_true(bm_decimal_value(&number, ten, 0, LDBL_MANT_DIG, LDBL_MIN_EXP - LDBL_MANT_DIG) ==
                strtold(text, NULL));
    assert_true((double)bm_decimal_value(&number, ten, 0, DBL_MANT_DIG, DBL_MIN_EXP - DBL_MANT_DIG) ==
                strtod(text, NULL));
    assert_true((float)bm_decimal_value(&number, ten, 0, FLT_MANT_DIG, FLT_MIN_EXP - FLT_MANT_DIG) ==
                strtof(text, NULL));
}

static void digits_of_any_number(void **state)
{
    (void)state;
    for (int i = 0; i < NUMBERS; i++)
        check_digits(draw_number(i % 20), (int)(draw() % (i % 50 ? 30 : 1200)), i % 2);
}

static void digits_at_the_borders(void **state)
{
    (void)state;
    const long double values[] = {0,     0.5L,   1.5L,     2.5L,     9.5L,          0.05L,   0.95L,
                                  0.96L, 999.5L, LDBL_MAX, LDBL_MIN, LDBL_TRUE_MIN, DBL_MAX, DBL_TRUE_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (int count = 0; count < 4; count++) {
            check_digits(values[i], count, true);
            check_digits(values[i], count, false);
        }
    }
    check_digits(LDBL_TRUE_MIN, 16500, true);
    assert_true(bm_decimal_room(bm_decimal_split(1.5L), INT_MAX, true) < 100);
}

static void values_of_any_text(void **state)
{
    (void)state;
    static char text[TEXT];
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(text, sizeof text, "%.*Le", (int)(draw() % 30), draw_number(i % 20));
        check_value(text);
        const double low = (double)draw_number(1), high = __builtin_nextafter(low, DBL_MAX);
        if (i % 20 == 0 && high < DBL_MAX / 4) { // halfway, and a little more
            snprintf(text, sizeof text, "%.760Le", ((long double)low + high) / 2);
            check_value(text);
            strchr(text, 'e')[-1] = '1';
            check_value(text);
        }
    }
    for (int i = 0; i < NUMBERS / 50; i++) { // more digits than are kept
        const int length = (int)(draw() % 1500) + 1;
        for (int k = 0; k < length; k++)
            text[k] = (char)('0' + draw() % 10);
        sprintf(text + length, "e%d", (int)(draw() % 700) - 1400);
        check_value(text);
    }
    check_value("1e99999");
    check_value("1e-99999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_of_any_number),
        cmocka_unit_test(digits_at_the_borders),
        cmocka_unit_test(values_of_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
