// Cores: how many, which one, and the per-core area.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BM_CORES_MAX = 255 };

// Per-core data, reached through %gs. Kernel-internal beyond `self` and `id`.
struct bm_core {
    struct bm_core *self;     // at %gs:0
    uint64_t canary;          // of the stack protector, at %gs:8, where the kernel's code looks for it
    unsigned id;              // 0 … bm_core_count() - 1; 0 is the core that runs main
    uint32_t apic_id;         // local APIC id
    _Atomic(uint32_t) wake;   // set by bm_core_wake and by interrupt handlers: do not halt, look again
    _Atomic(uint32_t) asleep; // announced that it halts: a waker must send an interrupt
    bool in_interrupt;
    void *queue; // of work
};

// This core. Any context once the kernel's C code runs.
static inline struct bm_core *bm_core_self(void)
{
    struct bm_core *core;
    __asm__("mov %%gs:0, %0" : "=r"(core));
    return core;
}

// Number of this core, 0 … bm_core_count() - 1. Any context.
unsigned bm_core_id(void);

// Cores that run. Any context.
unsigned bm_core_count(void);

// What the CPU has, as read once by CPUID. Any context.
struct bm_cpu_features {
    bool rdrand, rdseed, xsave, avx, avx512, x2apic, tsc_deadline, tsc_invariant, nx, pages_1g, smep, smap,
        umip;
    bool hypervisor, monitor, fsgsbase, erms;
    uint32_t hypervisor_leaf_max; // highest CPUID leaf 0x4000_00xx, 0 when there is no hypervisor
    char hypervisor_name[13];     // "KVMKVMKVM", "TCGTCGTCGTCG", …
};
const struct bm_cpu_features *bm_cpu_features_get(void);

// x86 port I/O. Any context.
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

struct bm_cpuid {
    uint32_t eax, ebx, ecx, edx;
};
static inline struct bm_cpuid bm_cpu_id(uint32_t leaf, uint32_t subleaf)
{
    struct bm_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

// Model-specific registers. Any context; a register that the CPU lacks faults.
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
