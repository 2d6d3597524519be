// The CPU: what it has, its ports, registers and time-stamp counter.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/core.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What the CPU has, as read once by CPUID. Any context.
struct bm_cpu_features {
    bool rdrand, rdseed;              // RDRAND, RDSEED
    bool xsave, avx, avx512;          // XSAVE; AVX and AVX-512F, which the kernel has switched on
    bool x2apic;                      // APIC registers as MSRs
    bool tsc_deadline, tsc_invariant; // the timer's TSC mode; the TSC counts on at one rate
    bool nx, pages_1g;                // page tables: execution can be forbidden, pages of 1 GiB
    bool smep, smap, umip;            // protection of the kernel from user pages and user code
    bool hypervisor;                  // this is a virtual machine
    bool monitor, fsgsbase, erms;     // MONITOR/MWAIT; RDFSBASE and its kin; fast REP MOVSB
    uint32_t hypervisor_leaf_max;     // highest CPUID leaf 0x4000_00xx, 0 when there is no hypervisor
    char hypervisor_name[13];         // "KVMKVMKVM", "TCGTCGTCGTCG", …
};
const struct bm_cpu_features *bm_cpu_features_get(void);

// x86 port I/O: reads or writes 1, 2 or 4 bytes at `port`. Any context.
static inline uint8_t bm_port_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline uint16_t bm_port_in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline uint32_t bm_port_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline void bm_port_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline void bm_port_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline void bm_port_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

// Time-stamp counter, unserialised. Any context.
static inline uint64_t bm_cpu_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

// The CPUID instruction: its answer (eax, ebx, ecx, edx) for a leaf and a subleaf. Any context.
struct bm_cpuid {
    uint32_t eax, ebx, ecx, edx;
};
static inline struct bm_cpuid bm_cpu_id(uint32_t leaf, uint32_t subleaf)
{
    struct bm_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

// Model-specific registers, by number (`msr`). Any context; a register that the CPU lacks faults.
static inline uint64_t bm_msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}
static inline void bm_msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#ifdef __cplusplus
}
#endif
