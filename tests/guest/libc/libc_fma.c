// fma, fmaf and fmal round once, as the host's do: special values, cancellation, subnormal results.
// SPDX-License-Identifier: MIT
// @script libc_oracle.py

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed = 1;

static double draw(void)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    uint64_t bits = seed ^ seed >> 29;
    if (bits & 1 << 20)
        bits = (bits & 0x800fffffffffffff) | (bits >> 12 & 0x7f) << 52; // small exponents
    else
        bits = (bits & 0x800fffffffffffff) | (uint64_t)(1023 - 60 + (bits >> 13) % 120) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double (*volatile multiply_add)(double, double, double) = fma;
static float (*volatile multiply_add_float)(float, float, float) = fmaf;
static long double (*volatile multiply_add_long)(long double, long double, long double) = fmal;

static void multiply(double x, double y, double z)
{
    double value = multiply_add(x, y, z);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        bits &= 0x7ff0000000000000;
    float small = multiply_add_float((float)x, (float)y, (float)z);
    long double large = multiply_add_long(x, y, z);
    uint32_t small_bits;
    memcpy(&small_bits, &small, sizeof small_bits);
    if (small != small)
        small_bits &= 0x7f800000;
    uint64_t large_bits[2] = {0, 0};
    memcpy(large_bits, &large, 10);
    if (large != large)
        large_bits[0] = 0, large_bits[1] = 0x7fff;
    static unsigned number;
    printf("fma %u: %016" PRIx64 " %08" PRIx32 " %04" PRIx64 "%016" PRIx64 "\n", ++number, bits, small_bits,
           large_bits[1], large_bits[0]);
}

static void multiplications(void)
{
    const double special[] = {0,
                              -0.0,
                              1,
                              -1,
                              DBL_MIN,
                              DBL_TRUE_MIN,
                              -DBL_TRUE_MIN,
                              DBL_MAX,
                              -DBL_MAX,
                              DBL_EPSILON,
                              1 + DBL_EPSILON,
                              1 - DBL_EPSILON / 2,
                              INFINITY,
                              -INFINITY,
                              NAN,
                              0x1p-537,
                              0x1p-538,
                              0x1.fffffffffffffp-538,
                              0x1p-1022,
                              0x1.fffffffffffffp511,
                              0x1p512};
    const unsigned count = sizeof special / sizeof *special;
    for (unsigned i = 0; i < count * count * count; i += 5)
        multiply(special[i % count], special[i / count % count], special[i / count / count]);
    for (int i = 0; i < 1000; i++) {
        double x = draw(), y = draw(), z = i % 3 == 0 ? -x * y : draw();
        multiply(x, y, z);
        multiply(x * 0x1p-520, y * 0x1p-520, z * 0x1p-1040);
    }
}

int main(void)
{
    puts("BEGIN");
    multiplications();
    puts("END");
    puts("PASS");
    return 0;
}
