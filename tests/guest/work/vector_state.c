// Floating-point and vector registers outlast interrupts and sleeps; AVX works where the CPU has it.
// SPDX-License-Identifier: MIT
// @run AVX
// @cpus max
// @expect ^AVX used$
// @run SSE
// @cpus Nehalem
// @expect ^no AVX$

#include <baremetal/cpu.h>
#include <baremetal/time.h>
#include <immintrin.h>
#include <math.h>

#include "check.h"

// Keeps eight values in registers while time goes by and timer interrupts may come.
static __attribute__((noinline)) double sum_over_time(double seed, uint64_t duration)
{
    double a = seed, b = seed * 2, c = seed * 3, d = seed * 5, e = seed * 7, f = seed * 11;
    uint64_t end = bm_time_monotonic() + duration;
    double rounds = 0;
    do {
        __asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f));
        rounds += 1;
    } while (bm_time_monotonic() < end);
    CHECK(rounds > 0);
    return a + b + c + d + e + f;
}

static __attribute__((target("avx"), noinline)) void check_avx(void)
{
    __m256d values = _mm256_set_pd(1.5, 2.5, 3.5, 4.5);
    uint64_t end = bm_time_monotonic() + 50000000;
    uint64_t now;
    do {
        __asm__ volatile("" : "+x"(values));
        now = bm_cpu_tsc();
        (void)now;
    } while (bm_time_monotonic() < end);
    double kept[4];
    _mm256_storeu_pd(kept, _mm256_mul_pd(values, values));
    CHECK(kept[0] == 4.5 * 4.5 && kept[1] == 3.5 * 3.5 && kept[2] == 2.5 * 2.5 && kept[3] == 1.5 * 1.5);
}

int main(void)
{
    CHECK(sum_over_time(1.25, 100000000) == 1.25 * 29);
    unsigned mode = _mm_getcsr();
    CHECK((mode & 0x1f80) == 0x1f80); // all exceptions masked
    volatile double zero = 0;
    CHECK(isinf(1 / zero));
    long double wide = 1.0L;
    volatile long double third = wide / 3;
    CHECK(third * 3 - 1 < 1e-18L); // x87 in extended precision
    if (bm_cpu_features_get()->avx) {
        check_avx();
        puts("AVX used");
    } else {
        puts("no AVX");
    }
    return passed();
}
