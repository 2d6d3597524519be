// fma and fmaf with one rounding, for both C libraries, whose own ones round twice or lose digits.
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 wide;

// mantissa * 2^exponent, with the mantissa's highest bit at bit TOP: two of them can be added.
struct number {
    wide mantissa;
    int exponent;
    bool negative;
};

enum { TOP = 124, WIDE_BITS = 128 };

static int leading_zeros(wide value)
{
    const uint64_t high = (uint64_t)(value >> 64);
    return high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)value);
}

static struct number normalize(wide mantissa, int exponent, bool negative)
{
    const int shift = leading_zeros(mantissa) - (WIDE_BITS - 1 - TOP);
    return (struct number){mantissa << shift, exponent - shift, negative};
}

// The mantissa as a whole number of 53 bits at most.
static uint64_t split(double value, int *exponent)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int field = bits >> 52 & 0x7ff;
    *exponent = (field ? field : 1) - 1075;
    return (bits & 0xfffffffffffff) | (uint64_t)(field != 0) << 52;
}

// value >> shift, with the last bit set when anything was lost.
static wide shift_sticky(wide value, int shift)
{
    if (shift >= WIDE_BITS)
        return value != 0;
    return value >> shift | ((value & (((wide)1 << shift) - 1)) != 0);
}

static struct number add(struct number a, struct number b)
{
    if (a.exponent < b.exponent) {
        const struct number other = a;
        a = b;
        b = other;
    }
    const wide aligned = shift_sticky(b.mantissa, a.exponent - b.exponent);
    if (a.negative == b.negative)
        a.mantissa += aligned;
    else if (a.mantissa >= aligned)
        a.mantissa -= aligned;
    else
        a = (struct number){aligned - a.mantissa, a.exponent, b.negative};
    return a;
}

// To so many bits, of which the last is worth at least 2^least; ties to even.
static double rounded(struct number value, int bits, int min)
{
    const int length = WIDE_BITS - leading_zeros(value.mantissa);
    int drop = length - bits;
    if (drop < min - value.exponent)
        drop = min - value.exponent;
    double result;
    if (drop <= 0) {
        result = ldexp((double)(uint64_t)value.mantissa, value.exponent);
    } else {
        const wide kept = shift_sticky(value.mantissa, drop - 2 < 0 ? 0 : drop - 2) << (drop == 1);
        uint64_t mantissa = (uint64_t)(kept >> 2); // below it a half, and a bit for all the rest
        mantissa += (kept & 2) && (kept & 5);
        result = ldexp((double)mantissa, value.exponent + drop);
    }
    return value.negative ? -result : result;
}

static double fused(double x, double y, double z, int bits, int min)
{
    int x_exponent, y_exponent, z_exponent;
    const wide product = (wide)split(x, &x_exponent) * split(y, &y_exponent);
    const uint64_t z_mantissa = split(z, &z_exponent);
    struct number sum = normalize(product, x_exponent + y_exponent, !signbit(x) != !signbit(y));
    if (z_mantissa)
        sum = add(sum, normalize(z_mantissa, z_exponent, signbit(z)));
    return sum.mantissa ? rounded(sum, bits, min) : 0;
}

double fma(double x, double y, double z)
{
    if (!isfinite(x) || !isfinite(y) || x == 0 || y == 0)
        return x * y + z;
    if (!isfinite(z)) // x * y may be beyond all numbers, and still is none
        return z;
    return fused(x, y, z, 53, -1074);
}

float fmaf(float x, float y, float z)
{
    if (!isfinite(x) || !isfinite(y) || x == 0 || y == 0)
        return x * y + z;
    if (!isfinite(z)) // x * y may be beyond all numbers, and still is none
        return z;
    return (float)fused(x, y, z, 24, -149);
}
