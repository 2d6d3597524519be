// printf and its family print what the host's C library prints, case by case.
// SPDX-License-Identifier: MIT
// @script libc_oracle.py

#define _GNU_SOURCE
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-zero-length"

static int (*volatile print)(char *, size_t, const char *, ...) = snprintf;
static int (*volatile wide_print)(wchar_t *, size_t, const wchar_t *, ...) = swprintf;
static char text[6000];
static wchar_t wide[6000];

static int number; // of the case

#define P(...)                                                                                               \
    do {                                                                                                     \
        int length = print(text, sizeof text, __VA_ARGS__);                                                  \
        printf("%d: %d [%s]\n", ++number, length, text);                                                     \
    } while (0)

#define W(...)                                                                                               \
    do {                                                                                                     \
        int length = wide_print(wide, sizeof wide / sizeof *wide, __VA_ARGS__);                              \
        printf("%d: %d [", ++number, length);                                                                \
        for (int i = 0; i < length; i++)                                                                     \
            printf(wide[i] > 31 && wide[i] < 127 ? "%lc" : "\\u%04x", (wint_t)wide[i]);                      \
        printf("]\n");                                                                                       \
    } while (0)

static void integers(void)
{
    P("%d %i %u", 0, -1, 4000000000u);
    P("%5d|%-5d|%05d|%+d|% d|%+5d|%-+5d|%x|%X|%#x|%#X|%o|%#o", 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42,
      42);
    P("%.0d|%.0x|%5.0d|%.1d|%#.0x|%#.0o|%#x|%#o", 0, 0, 0, 0, 0, 0, 0, 0);
    P("%.5d|%8.5d|%-8.5d|%08.5d|%+.5d|%.5x|%#.5x|%#.5o", 42, 42, 42, 42, 42, 42, 42, 42);
    P("%hhd %hhu %hd %hu", 300, 300, 70000, 70000);
    P("%ld %lu %lld %llu", LONG_MIN, ULONG_MAX, LLONG_MIN, ULLONG_MAX);
    P("%jd %ju %zd %zu %td", INTMAX_MIN, UINTMAX_MAX, (ptrdiff_t)-1, SIZE_MAX, PTRDIFF_MIN);
    P("%" PRId64 " %" PRIx64 " %" PRIu32 " %" PRIo16, INT64_MIN, UINT64_MAX, UINT32_MAX, 07777);
    P("%*d|%-*d|%*d|%.*d|%.*d", 5, 1, 5, 2, -5, 3, 3, 4, -1, 5);
    P("%c|%5c|%-5c|%c", 'a', 'b', 'c', 0);
    P("%s|%5s|%-5s|%.2s|%5.1s|%.0s|%.10s", "abc", "abc", "abc", "abc", "abc", "abc", "abc");
    P("%s|%.3s|%10s|%-10s|", (char *)NULL, (char *)"null", (char *)NULL, (char *)NULL);
    P("%%|%5d%%", 5);
    P("%p %p", (void *)0x1234, (void *)0xffff800000000000);
    P("");
    P("%x %X", 0xabcdef, 0xABCDEF);
    P("%+u % u %+x", 5, 5, 5);
    P("%-05d|%+ d|%- 5d|", 5, 5, 5);
    P("%ls|%.2ls|%5ls|%lc", L"wide", L"wide", L"wi", (wint_t)L'x');
}

static void positions(void)
{
    P("%2$s %1$s", "one", "two");
    P("%1$d %1$d %1$x", 17);
    P("%3$s %1$d %2$ld", 1, 2L, "three");
    P("%2$*1$d|%2$-*1$d|", 5, 42);
    P("%3$*1$.*2$f|", 10, 2, 3.14159);
    P("%2$f %1$d %3$s", 1, 2.5, "x");
    P("%4$Lf %3$d %2$f %1$c", 'a', 1.5, 3, 4.5L);
    P("%9$d %8$d %7$d %6$d %5$d %4$d %3$d %2$d %1$d", 1, 2, 3, 4, 5, 6, 7, 8, 9);
    P("%9$g %8$g %7$g %6$g %5$g %4$g %3$g %2$g %1$g", 1., 2., 3., 4., 5., 6., 7., 8., 9.);
    P("%1$s %3$lld %2$zu %4$jx", "a", (size_t)2, -3LL, (intmax_t)255);
    W(L"%2$s %1$s", "one", "two");
    W(L"%2$ls %1$d %3$f", 1, L"two", 3.0);
}

static const double values[] = {0.0,
                                -0.0,
                                0.1,
                                0.5,
                                1.0,
                                -1.0,
                                1.5,
                                2.5,
                                9.5,
                                9.995,
                                10.0,
                                99.5,
                                0.05,
                                123456789.0,
                                1e15,
                                1e16,
                                1e17,
                                1e21,
                                1e22,
                                1e23,
                                9007199254740993.0,
                                3.14159265358979,
                                2.2250738585072014e-308,
                                4.9406564584124654e-324,
                                1.7976931348623157e308,
                                0.3,
                                1.0 / 3,
                                2.0 / 3,
                                1e-5,
                                1e-4,
                                123e-7,
                                5e-324,
                                9.9999e-5,
                                0.00009999995,
                                999999.4,
                                1e100,
                                8.41e21,
                                5e-10,
                                0.125,
                                0.375,
                                4.35,
                                1.005};

static const char *const formats[] = {
    "%f",    "%e",    "%g",    "%a",    "%.0f",   "%.1f",   "%.2f",     "%.3f",    "%.10f",
    "%.17f", "%.20f", "%.30f", "%.60f", "%.0e",   "%.1e",   "%.5e",     "%.16e",   "%.17e",
    "%.25e", "%.0g",  "%.1g",  "%.5g",  "%.15g",  "%.16g",  "%.17g",    "%.18g",   "%.20g",
    "%.40g", "%#g",   "%#.0f", "%#.3g", "%#.17g", "%10.2f", "%-10.2f|", "%010.2f", "%+f",
    "% f",   "%E",    "%G",    "%F",    "%.350f", "%.780e", "%.800g",   "%.1a",    "%.0a",
    "%.5a",  "%.13a", "%20a",  "%A",    "%#.0a",  "%#.0e"};

static void numbers(void)
{
    for (unsigned f = 0; f < sizeof formats / sizeof *formats; f++) {
        const bool hex = strpbrk(formats[f], "aA");
        for (unsigned v = 0; v < sizeof values / sizeof *values; v++) {
            if (hex && fpclassify(values[v]) == FP_SUBNORMAL)
                continue; // their first digit may be 0 or 1
            int length = print(text, sizeof text, formats[f], values[v]);
            printf("%s %u: %d [%s]\n", formats[f], v, length, text);
        }
    }
}

static void special(void)
{
    static const char *const ways[] = {"%f",     "%F",    "%e",  "%G",  "%a",   "%A",   "%10f",
                                       "%-10f|", "%010f", "%+f", "% f", "%.0f", "%5.1g"};
    const double odd[] = {INFINITY, -INFINITY, NAN};
    for (unsigned f = 0; f < sizeof ways / sizeof *ways; f++) {
        for (unsigned v = 0; v < sizeof odd / sizeof *odd; v++) {
            int length = print(text, sizeof text, ways[f], odd[v]);
            printf("%s %u: %d [%s]\n", ways[f], v, length, text);
        }
    }
}

static void long_double(void)
{
    P("%Lf %Le %Lg", 1.5L, 1.5L, 1.5L);
    P("%.20Lf %.30Le %.25Lg", 0.1L, 0.1L, 0.1L);
    P("%.17Lg %.18Lg %.19Lg %.20Lg %.21Lg", 0.1L, 0.1L, 0.1L, 0.1L, 0.1L);
    P("%.21Lg", LDBL_MAX);
    P("%.21Lg", LDBL_MIN);
    P("%.3Lf", 12345678901234567890.0L);
    P("%Lg %Lg %Lg", (long double)INFINITY, -(long double)INFINITY, (long double)NAN);
    P("%.0Lf", LDBL_MAX);
    P("%.21Le", LDBL_TRUE_MIN);
    P("%.50Lg", 1.0L / 3);
}

static void wides(void)
{
    W(L"%d|%5d|%-5d|%x", 1, 2, 3, 255);
    W(L"%s|%ls|%10s|%-10ls|", "narrow", L"wide", "narrow", L"wide");
    W(L"%c|%lc|%5c", 'a', (wint_t)L'b', 'c');
    W(L"%f|%e|%g|%.17g|%.20f", 1.5, 1.5, 1.5, 0.1, 0.1);
    W(L"%ls %s", L"é€", "plain");
    W(L"%Lf", 1.5L);
    W(L"%.3s|%.3ls", "abcdef", L"abcdef");
    W(L"%p", (void *)0x1234);
    W(L"%s", (char *)NULL);
    W(L"%ls", (wchar_t *)NULL);
    W(L"%5.2f%%", 99.5);
    printf("short: %d\n", swprintf(wide, 3, L"%d", 12345) < 0);
}

static void lengths(void)
{
    char small[4] = "xyz";
    printf("%d %s\n", print(small, sizeof small, "%d", 123456), small);
    printf("%d\n", print(NULL, 0, "%s %f", "length", 1.0));
    printf("%d\n", print(small, 1, "%s", "abc"));
    char *made = NULL;
    printf("asprintf %d", asprintf(&made, "%s-%d", "made", 7));
    printf(" %s\n", made);
    free(made);
}

int main(void)
{
    puts("BEGIN");
    integers();
    positions();
    numbers();
    special();
    long_double();
    setlocale(LC_ALL, "C.UTF-8");
    wides();
    lengths();
    puts("END");
    puts("PASS");
    return 0;
}
