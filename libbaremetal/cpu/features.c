// What the CPU has, and turning it on.
// SPDX-License-Identifier: MIT
#include "core.h"

#include <stddef.h>

static struct bm_cpu_features features;

const struct bm_cpu_features *bm_cpu_features_get(void)
{
    return &features;
}

static bool bit(uint32_t value, unsigned n)
{
    return value >> n & 1;
}

static void read_hypervisor(void)
{
    struct bm_cpuid id = bm_cpu_id(0x40000000, 0);
    uint32_t name[3] = {id.ebx, id.ecx, id.edx};
    features.hypervisor_leaf_max = id.eax;
    __builtin_memcpy(features.hypervisor_name, name, sizeof(name));
}

// Intel SDM volume 2, CPUID: leaves 1, 7, 0x80000001, 0x80000007.
void bm_cpu_features_read(void)
{
    uint32_t leaf_max = bm_cpu_id(0, 0).eax;
    struct bm_cpuid one = bm_cpu_id(1, 0);
    features.monitor = bit(one.ecx, 3);
    features.x2apic = bit(one.ecx, 21);
    features.tsc_deadline = bit(one.ecx, 24);
    features.xsave = bit(one.ecx, 26);
    features.avx = features.xsave && bit(one.ecx, 28);
    features.rdrand = bit(one.ecx, 30);
    features.hypervisor = bit(one.ecx, 31);
    if (leaf_max >= 7) {
        struct bm_cpuid seven = bm_cpu_id(7, 0);
        features.fsgsbase = bit(seven.ebx, 0);
        features.smep = bit(seven.ebx, 7);
        features.erms = bit(seven.ebx, 9);
        features.avx512 = features.avx && bit(seven.ebx, 16);
        features.rdseed = bit(seven.ebx, 18);
        features.smap = bit(seven.ebx, 20);
        features.umip = bit(seven.ecx, 2);
    }
    struct bm_cpuid extended = bm_cpu_id(0x80000001, 0);
    features.nx = bit(extended.edx, 20);
    features.pages_1g = bit(extended.edx, 26);
    if (bm_cpu_id(0x80000000, 0).eax >= 0x80000007)
        features.tsc_invariant = bit(bm_cpu_id(0x80000007, 0).edx, 8);
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
