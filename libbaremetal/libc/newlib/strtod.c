// strtod and its family for newlib, whose own lose the sign of "-0x", round twice, and want a heap.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "../decimal.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

// Text of either kind of characters. Where it is not ASCII it holds no number.
struct text {
    const char *narrow;
    const wchar_t *wide;
};

struct format {
    int bits;             // of the mantissa
    int min;              // exponent of the last bit of the smallest number
    long double smallest; // normal number
};

static const struct format float_format = {FLT_MANT_DIG, FLT_MIN_EXP - FLT_MANT_DIG, FLT_MIN};
static const struct format double_format = {DBL_MANT_DIG, DBL_MIN_EXP - DBL_MANT_DIG, DBL_MIN};
static const struct format long_format = {LDBL_MANT_DIG, LDBL_MIN_EXP - LDBL_MANT_DIG, LDBL_MIN};

static int character(struct text text, size_t at)
{
    if (text.narrow)
        return (unsigned char)text.narrow[at];
    return text.wide[at] >= 0 && text.wide[at] < 128 ? (int)text.wide[at] : 128;
}

static bool is_space(struct text text, size_t at)
{
    return text.narrow ? isspace((unsigned char)text.narrow[at]) : iswspace((wint_t)text.wide[at]);
}

static bool match(struct text text, size_t at, const char *word)
{
    while (*word && (character(text, at) | 0x20) == *word)
        at++, word++;
    return !*word;
}

static unsigned digit_value(int c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : UINT_MAX;
}

// "inf", "infinity", "nan", "nan(…)" at *at, which moves behind it.
static bool read_word(struct text text, size_t *at, long double *value)
{
    if (match(text, *at, "inf")) {
        *value = INFINITY;
        *at += match(text, *at, "infinity") ? 8 : 3;
        return true;
    }
    if (!match(text, *at, "nan"))
        return false;
    *value = NAN;
    *at += 3;
    size_t end = *at;
    if (character(text, end++) != '(')
        return true;
    while (isalnum(character(text, end)) || character(text, end) == '_')
        end++;
    if (character(text, end) == ')')
        *at = end + 1;
    return true;
}

// The exponent behind an "e" or "p" at *at, which moves behind it; 0 when there is none.
static int read_exponent(struct text text, size_t *at, char letter)
{
    size_t next = *at;
    if ((character(text, next++) | 0x20) != letter)
        return 0;
    const int sign = character(text, next);
    if (sign == '-' || sign == '+')
        next++;
    if (digit_value(character(text, next)) > 9)
        return 0;
    int exponent = 0;
    for (; digit_value(character(text, next)) <= 9; next++)
        if (exponent < INT_MAX / 20)
            exponent = 10 * exponent + character(text, next) - '0';
    *at = next;
    return sign == '-' ? -exponent : exponent;
}

// A number at *at, which moves behind it. False when there is none.
static bool read_number(struct text text, size_t *at, const struct format *format, long double *value)
{
    struct bm_decimal_number number;
    number.used = number.dropped = 0;
    number.inexact = false;
    size_t next = *at;
    unsigned base = 10;
    if (character(text, next) == '0' && (character(text, next + 1) | 0x20) == 'x') {
        const size_t point = character(text, next + 2) == '.'; // a digit may come behind it
        if (digit_value(character(text, next + 2 + point)) < 16) {
            base = 16;
            next += 2;
        }
    }
    int behind = 0; // digits behind the point
    bool any = false, point = false;
    for (;; next++) {
        const unsigned digit = digit_value(character(text, next));
        if (digit < base) {
            any = true;
            bm_decimal_append(&number, base, digit);
            behind += point;
        } else if (character(text, next) == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (!any)
        return false;
    const int exponent = read_exponent(text, &next, base == 16 ? 'p' : 'e');
    const int moved = number.dropped - behind;
    *value = base == 16 ? bm_decimal_value(&number, 0, exponent + 4 * moved, format->bits, format->min)
                        : bm_decimal_value(&number, exponent + moved, 0, format->bits, format->min);
    if (number.used &&
        (*value < format->smallest || *value > (format->bits == LDBL_MANT_DIG  ? LDBL_MAX
                                                : format->bits == DBL_MANT_DIG ? (long double)DBL_MAX
                                                                               : (long double)FLT_MAX)))
        errno = ERANGE;
    *at = next;
    return true;
}

static long double read(struct text text, size_t *end, const struct format *format)
{
    size_t at = 0;
    long double value = 0;
    while (is_space(text, at))
        at++;
    const bool negative = character(text, at) == '-';
    at += negative || character(text, at) == '+';
    if (!read_word(text, &at, &value) && !read_number(text, &at, format, &value)) {
        *end = 0;
        return 0;
    }
    *end = at;
    return negative ? -value : value;
}

static long double read_narrow(const char *text, char **end, const struct format *format)
{
    size_t at;
    const long double value = read((struct text){.narrow = text}, &at, format);
    if (end)
        *end = (char *)(unsigned long)(text + at);
    return value;
}

static long double read_wide(const wchar_t *text, wchar_t **end, const struct format *format)
{
    size_t at;
    const long double value = read((struct text){.wide = text}, &at, format);
    if (end)
        *end = (wchar_t *)(unsigned long)(text + at);
    return value;
}

// The plain names, and those with a locale, of which there is one.
#define FUNCTIONS(name, wide_name, type, format)                                                             \
    type name(const char *restrict text, char **restrict end)                                                \
    {                                                                                                        \
        return (type)read_narrow(text, end, &format);                                                        \
    }                                                                                                        \
    type name##_l(const char *restrict text, char **restrict end, locale_t locale)                           \
    {                                                                                                        \
        (void)locale;                                                                                        \
        return (type)read_narrow(text, end, &format);                                                        \
    }                                                                                                        \
    type wide_name(const wchar_t *restrict text, wchar_t **restrict end)                                     \
    {                                                                                                        \
        return (type)read_wide(text, end, &format);                                                          \
    }                                                                                                        \
    type wide_name##_l(const wchar_t *restrict text, wchar_t **restrict end, locale_t locale)                \
    {                                                                                                        \
        (void)locale;                                                                                        \
        return (type)read_wide(text, end, &format);                                                          \
    }

FUNCTIONS(strtod, wcstod, double, double_format)
FUNCTIONS(strtof, wcstof, float, float_format)
FUNCTIONS(strtold, wcstold, long double, long_format)

// What newlib's scanf calls.
double _strtod_r(struct _reent *state, const char *restrict text, char **restrict end)
{
    (void)state;
    return (double)read_narrow(text, end, &double_format);
}

long double _strtold_r(struct _reent *state, const char *restrict text, char **restrict end);
long double _strtold_r(struct _reent *state, const char *restrict text, char **restrict end)
{
    (void)state;
    return read_narrow(text, end, &long_format);
}

double _wcstod_r(struct _reent *state, const wchar_t *restrict text, wchar_t **restrict end)
{
    (void)state;
    return (double)read_wide(text, end, &double_format);
}
