// printf and scanf of integers, strings and floating-point numbers.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @expect ^-42 0x2a 0052 \|   42\| \|42   \|$
// @expect ^3\.141592653589793 2\.718282e\+00 0\.1 1e-300 1\.79769e\+308$
// @expect ^inf -inf nan$
// @expect ^9223372036854775807 -9223372036854775808 18446744073709551615$
// @expect ^\| right\|left  \|cut\|$

#include <limits.h>
#include <math.h>
#include <stdint.h>

#include "check.h"

static void check_round_trip(double value)
{
    char text[40];
    snprintf(text, sizeof(text), "%.17g", value);
    CHECK(strtod(text, NULL) == value);
}

int main(void)
{
    printf("%d %#x %04o |%5d| |%-5d|\n", -42, 42, 42, 42, 42);
    printf("%.15f %e %g %g %g\n", 3.141592653589793, 2.718281828, 0.1, 1e-300, 1.7976931348623157e308);
    volatile double zero = 0;
    printf("%f %f %f\n", 1 / zero, -1 / zero, fabs(zero / zero));
    printf("%lld %lld %llu\n", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
    printf("|%6s|%-6s|%.3s|\n", "right", "left", "cut short");
    char text[16];
    const char *volatile words = "longer than the buffer";
    CHECK(snprintf(text, sizeof(text), "%s", words) == 22);
    CHECK(strcmp(text, "longer than the") == 0);
    check_round_trip(0.1);
    check_round_trip(1.0 / 3);
    check_round_trip(5e-324);
    check_round_trip(1.7976931348623157e308);
    CHECK(strtol("-0x7f", NULL, 16) == -127);
    CHECK(strtoul("4294967295", NULL, 10) == UINT32_MAX);
    double fraction;
    int count;
    CHECK(sscanf("12 apples at 0.25", "%d apples at %lf", &count, &fraction) == 2);
    CHECK(count == 12 && fraction == 0.25);
    return passed();
}
