// What the CPU has, and turning it on.
// SPDX-License-Identifier: MIT
#include "core.h"

#include <stddef.h>

static struct bm_cpu_features features;

const struct bm_cpu_features *bm_cpu_features_get(void)
{
    return &features;
}

// Words of CPUID that hold features, and where each feature stands in them, in the order of the structure
// (Intel SDM volume 2, CPUID: leaves 1, 7, 0x80000001, 0x80000007).
enum { ONE_ECX, SEVEN_EBX, SEVEN_ECX, EXTENDED_EDX, POWER_EDX, WORDS };
#define AT(word, bit) (uint8_t)((word) << 5 | (bit))
static const uint8_t places[] = {
    AT(ONE_ECX, 30),      // rdrand
    AT(SEVEN_EBX, 18),    // rdseed
    AT(ONE_ECX, 26),      // xsave
    AT(ONE_ECX, 28),      // avx
    AT(SEVEN_EBX, 16),    // avx512
    AT(ONE_ECX, 21),      // x2apic
    AT(ONE_ECX, 24),      // tsc_deadline
    AT(POWER_EDX, 8),     // tsc_invariant
    AT(EXTENDED_EDX, 20), // nx
    AT(EXTENDED_EDX, 26), // pages_1g
    AT(SEVEN_EBX, 7),     // smep
    AT(SEVEN_EBX, 20),    // smap
    AT(SEVEN_ECX, 2),     // umip
    AT(ONE_ECX, 31),      // hypervisor
    AT(ONE_ECX, 3),       // monitor
    AT(SEVEN_EBX, 0),     // fsgsbase
    AT(SEVEN_EBX, 9),     // erms
};
_Static_assert(sizeof(places) == __builtin_offsetof(struct bm_cpu_features, erms) + 1,
               "a place for each feature");

static void read_hypervisor(void)
{
    struct bm_cpuid id = bm_cpu_id(0x40000000, 0);
    uint32_t name[3] = {id.ebx, id.ecx, id.edx};
    features.hypervisor_leaf_max = id.eax;
    __builtin_memcpy(features.hypervisor_name, name, sizeof(name));
}

void bm_cpu_features_read(void)
{
    uint32_t words[WORDS] = {[ONE_ECX] = bm_cpu_id(1, 0).ecx, [EXTENDED_EDX] = bm_cpu_id(0x80000001, 0).edx};
    if (bm_cpu_id(0, 0).eax >= 7) {
        struct bm_cpuid seven = bm_cpu_id(7, 0);
        words[SEVEN_EBX] = seven.ebx;
        words[SEVEN_ECX] = seven.ecx;
    }
    if (bm_cpu_id(0x80000000, 0).eax >= 0x80000007)
        words[POWER_EDX] = bm_cpu_id(0x80000007, 0).edx;
    bool *feature = (void *)&features;
    for (unsigned i = 0; i < sizeof(places); i++)
        feature[i] = words[places[i] >> 5] >> (places[i] & 31) & 1;
    features.avx &= features.xsave;
    features.avx512 &= features.avx;
    if (features.hypervisor)
        read_hypervisor();
}

// CR4 bits (Intel SDM volume 3, section 2.5).
enum {
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_UMIP = 1 << 11,
    CR4_FSGSBASE = 1 << 16,
    CR4_OSXSAVE = 1 << 18,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21
};

// State components of XCR0 (volume 1, section 13.3): x87, SSE, AVX, and the three of AVX-512.
enum { XCR0_X87_SSE = 3, XCR0_AVX = 4, XCR0_AVX512 = 0xe0 };

static void enable_extended_state(void)
{
    uint32_t offered = bm_cpu_id(0xd, 0).eax;
    uint32_t wanted = XCR0_X87_SSE;
    if (features.avx && (offered & XCR0_AVX))
        wanted |= XCR0_AVX;
    if ((wanted & XCR0_AVX) && features.avx512 && (offered & XCR0_AVX512) == XCR0_AVX512)
        wanted |= XCR0_AVX512;
    __asm__ volatile("xsetbv" : : "a"(wanted), "d"(0), "c"(0));
}

void bm_cpu_state_enable(void)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    cr4 |= (features.umip ? CR4_UMIP : 0) | (features.fsgsbase ? CR4_FSGSBASE : 0);
    cr4 |= (features.smep ? CR4_SMEP : 0) | (features.smap ? CR4_SMAP : 0);
    cr4 |= features.xsave ? CR4_OSXSAVE : 0;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    if (features.xsave)
        enable_extended_state();
    uint32_t mxcsr = 0x1f80; // all exceptions masked, round to nearest (volume 1, section 10.2.3)
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
}
