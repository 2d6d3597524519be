// strtod, strtol, scanf and their wide sisters give what the host's C library gives, case by case.
// SPDX-License-Identifier: MIT
// @script libc_oracle.py

#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"

static const char *const reals[] = {
    "0",
    "-0",
    "1",
    "0x",
    "0X",
    "0xg",
    "-0x",
    "+0x.",
    "0x.p1",
    "0x1p",
    "0x1p+",
    "0x1.8p1",
    "0x.8",
    "0x1.",
    "0x1p-1074",
    "0x1p-1075",
    "0x1.8p-1075",
    "0x1.fffffffffffff8p0",
    "0x1.fffffffffffff7p0",
    "0x1.00000000000008p0",
    "0x1.000000000000080001p0",
    "0xep0",
    "0x1p1024",
    "0x1p99999",
    "0x1p-99999",
    "1e",
    "1e+",
    "1e-",
    "1e5",
    "1E5x",
    ".",
    "+.",
    ".5",
    "5.",
    "-.5e1",
    "e5",
    "",
    " ",
    "  12abc",
    " \t 1",
    "inf",
    "INFINITY",
    "infinit",
    "-inf",
    "nan",
    "NaN(123)",
    "nan(",
    "nan(x",
    "na",
    "i",
    "in",
    "1..2",
    "1,5",
    "--1",
    "+-1",
    "0.1",
    "0.2",
    "0.3",
    "123456789012345678901234567890",
    "9007199254740993",
    "9007199254740992.99999999999999999999",
    "9007199254740993.00000000000000000000000000001",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "2.2250738585072012e-308",
    "4.9406564584124654e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.5e-324",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1.797693134862315807e308",
    "1e309",
    "-1e309",
    "1e-400",
    "-1e-400",
    "1e99999999999",
    "1e-99999999999",
    "0e99999999999",
    "0e-99999999999",
    "6.02214076e23",
    "8.98846567431158e307",
    "1e22",
    "1e23",
    ("1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070963"
     "3"
     "0286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270"
     "0"
     "69855571366959622842914819860834936475292719074168444365510704342711559699508093042880"),
    ("0."
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0"
     "0000000000000000000000000000000000000000001"),
    ("1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0"
     "00000000000000000000000000000000000000e-120"),
    "7.2057594037927933e16",
    "72057594037927933",
    "6929495644600919.5",
    "3.518437208883201171875e13",
    "62.5364939768271845828",
    "8.10109172351e-10",
    "1.50000000000000011102230246251565",
    "1.8254370818746402660437411213933955878019332885742187e0",
    "3.4028235677973366e38",
    "3.4028234e38",
    "1.17549435e-38",
    "1.4e-45",
    "7.006492321624085e-46",
    "7.006492321624086e-46",
    "1e39",
    "16777217",
    "16777219",
    "0x1.000001p0",
    "0x1.000001000000001p0",
    "0x1p-149",
    "0x1p-150",
    "0x1.8p-150"};

static const char *rest(const char *text, const char *end)
{
    static char note[40];
    snprintf(note, sizeof note, "%d", (int)(end - text));
    return note;
}

static void show(const char *what, const char *text, double value, const char *end)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        bits &= 0x7ff0000000000000;
    printf("%s \"%.40s\": %016" PRIx64 " %s", what, text, bits, rest(text, end));
    puts(errno == 0 || fabs(value) <= DBL_MIN || fabs(value) <= FLT_MIN ? ""
         : errno == ERANGE                                              ? " ERANGE"
                                                                        : " errno");
}

static void show_long(const char *text)
{
    char *end;
    errno = 0;
    long double value = strtold(text, &end);
    uint64_t bits[2] = {0, 0};
    memcpy(bits, &value, 10);
    if (value != value)
        bits[0] = 0, bits[1] = 0x7fff;
    printf("strtold \"%.40s\": %04" PRIx64 "%016" PRIx64 " %s", text, bits[1], bits[0], rest(text, end));
    puts(errno == 0 || fabsl(value) <= LDBL_MIN ? "" : errno == ERANGE ? " ERANGE" : " errno");
}

static void real_numbers(void)
{
    for (unsigned i = 0; i < sizeof reals / sizeof *reals; i++) {
        char *end;
        errno = 0;
        double value = strtod(reals[i], &end);
        show("strtod", reals[i], value, end);
        errno = 0;
        value = strtof(reals[i], &end);
        show("strtof", reals[i], value, end);
        show_long(reals[i]);
        wchar_t wide[400], *wide_end;
        mbstowcs(wide, reals[i], 400);
        errno = 0;
        value = wcstod(wide, &wide_end);
        show("wcstod", reals[i], value, reals[i] + (wide_end - wide));
    }
}

static const char *const wholes[] = {"0",
                                     "1",
                                     "-1",
                                     "+7",
                                     "0x",
                                     "0X",
                                     "0xg",
                                     "-0x",
                                     "0x1f",
                                     "0X1F",
                                     "017",
                                     "08",
                                     "09z",
                                     "",
                                     " ",
                                     "-",
                                     "+",
                                     "+-3",
                                     "- 3",
                                     "  42abc",
                                     "2147483647",
                                     "2147483648",
                                     "-2147483648",
                                     "9223372036854775807",
                                     "9223372036854775808",
                                     "-9223372036854775808",
                                     "-9223372036854775809",
                                     "18446744073709551615",
                                     "18446744073709551616",
                                     "-18446744073709551615",
                                     "-18446744073709551616",
                                     "99999999999999999999999",
                                     "-99999999999999999999999",
                                     "0xffffffffffffffff",
                                     "0x10000000000000000",
                                     "zz",
                                     "Zz",
                                     "1z",
                                     "101",
                                     "0o17",
                                     "7fffffff",
                                     " \t 5",
                                     "0x0x1",
                                     "00x1",
                                     "0x-1",
                                     "x1",
                                     "x"};
static const int bases[] = {0, 2, 8, 10, 16, 36, 1, 37, -1};

#define WHOLE(call, format)                                                                                  \
    do {                                                                                                     \
        char *end = NULL;                                                                                    \
        errno = 0;                                                                                           \
        printf(#call " \"%s\" %d: %" format, wholes[i], bases[b], call(wholes[i], &end, bases[b]));          \
        int error = errno;                                                                                   \
        printf(" %s%s\n", bases[b]<0 || bases[b] == 1 || bases[b]> 36 ? "" : rest(wholes[i], end),           \
               error == ERANGE ? " ERANGE" : "");                                                            \
    } while (0)

static void whole_wide(const char *text, int base)
{
    wchar_t wide[100], *end;
    mbstowcs(wide, text, 100);
    errno = 0;
    long value = wcstol(wide, &end, base);
    printf("wcstol \"%s\" %d: %ld %d%s\n", text, base, value, (int)(end - wide),
           errno == ERANGE ? " ERANGE" : "");
    errno = 0;
    unsigned long long more = wcstoull(wide, &end, base);
    printf("wcstoull \"%s\" %d: %llu %d%s\n", text, base, more, (int)(end - wide),
           errno == ERANGE ? " ERANGE" : "");
}

static void whole_numbers(void)
{
    for (unsigned i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        for (unsigned b = 0; b < sizeof bases / sizeof *bases; b++) {
            WHOLE(strtol, "ld");
            WHOLE(strtoul, "lu");
            WHOLE(strtoll, "lld");
            WHOLE(strtoull, "llu");
            WHOLE(strtoimax, "jd");
            WHOLE(strtoumax, "ju");
            if (bases[b] == 0 || bases[b] == 10 || bases[b] == 16)
                whole_wide(wholes[i], bases[b]);
        }
        printf("atoi %d\n", i < 22 ? atoi(wholes[i]) : 0);
    }
}

static int number; // of the case

#define S(input, ...)                                                                                        \
    do {                                                                                                     \
        clear();                                                                                             \
        int count = sscanf(input, __VA_ARGS__);                                                              \
        printf("%d: %d [%d %d %ld %s %s %g %g %d]\n", ++number, count, a, b, l, s, t, d, f, n);              \
    } while (0)

static int a, b, n;
static long l;
static char s[40], t[40];
static double d;
static float f;

static void clear(void)
{
    a = b = n = -7;
    l = -7;
    strcpy(s, "?");
    strcpy(t, "?");
    d = f = -7;
}

static void scans(void)
{
    S("12 34", "%d %d", &a, &b);
    S("12 34", "%d%n %d", &a, &n, &b);
    S("0x1f 017", "%i %i", &a, &b);
    S("0x1g", "%x%s", &a, s);
    S("abc def", "%s %s", s, t);
    S("abcdef", "%3s%s", s, t);
    S("abc123", "%[a-z]%d", s, &a);
    S("abc123", "%[^0-9]%[0-9]", s, t);
    S("]x", "%[]]%s", s, t);
    S("-x^", "%[-x]%s", s, t);
    S("ab", "%c%c", s, t);
    S("  ab", " %c%c", s, t);
    S("12,34", "%d,%d", &a, &b);
    S("12;34", "%d,%d", &a, &b);
    S("", "%d", &a);
    S("   ", "%d", &a);
    S("x", "%d", &a);
    S("12 34", "%*d %d", &a);
    S("1.5 2.5", "%lf %f", &d, &f);
    S("1e5 x", "%lf %s", &d, s);
    S(".5", "%lf", &d);
    S("0x1.8p1", "%lf", &d);
    S("inf nan", "%lf %f", &d, &f);
    S("infinity", "%lf%s", &d, s);
    S("123456", "%3d%d", &a, &b);
    S("99999999999", "%ld", &l);
    S("100%", "%d%%", &a);
    S("100%5", "%d%%%d", &a, &b);
    S("abc", "abc%n", &n);
    S("a  b", "a b%n", &n);
    S("ab", "a b%n", &n);
    S("3 4", "%2$d %1$d", &a, &b);
    S("777", "%o", &a);
    S("0777", "%o", &a);
    S("-5", "%u", &a);
    S("1.25", "%4lf", &d);
    S("1.25e1", "%3lf%d", &d, &a);
    S("+7", "%d", &a);
    S("3.4028235677973366e38", "%f", &f); // rounds to infinity by way of a double
    long double large = 0;
    printf("%d", swscanf(L"0.1", L"%Lf", &large));
    printf(" %d\n", large == 0.1L);
    printf("%d\n", sscanf("0x1234", "%p", (void **)&l));
    printf("%lx\n", l);
    wchar_t word[20] = L"?";
    printf("%d", sscanf("wide", "%ls", word));
    printf(" %ls\n", word);
    printf("%d", swscanf(L"7 word", L"%d %ls", &a, word));
    printf(" %d %ls\n", a, word);
    strcpy(s, "?");
    printf("%d", swscanf(L"8 narrow", L"%d %s", &a, s));
    printf(" %d %s\n", a, s);
}

int main(void)
{
    puts("BEGIN");
    real_numbers();
    whole_numbers();
    scans();
    puts("END");
    puts("PASS");
    return 0;
}
