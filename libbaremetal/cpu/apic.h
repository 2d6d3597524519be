// Local APIC registers, by xAPIC (mapped page) or x2APIC (model-specific registers).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Register offsets of the xAPIC page (Intel SDM volume 3, table 11-1); x2APIC's number is 0x800 + offset
// / 16.
enum bm_apic_register {
    BM_APIC_ID = 0x20,
    BM_APIC_TPR = 0x80,
    BM_APIC_EOI = 0xb0,
    BM_APIC_SPURIOUS = 0xf0,
    BM_APIC_ESR = 0x280,
    BM_APIC_ICR = 0x300,
    BM_APIC_ICR_HIGH = 0x310,
    BM_APIC_LVT_TIMER = 0x320,
    BM_APIC_LVT_LINT0 = 0x350,
    BM_APIC_LVT_LINT1 = 0x360,
    BM_APIC_LVT_ERROR = 0x370,
    BM_APIC_TIMER_INITIAL = 0x380,
    BM_APIC_TIMER_CURRENT = 0x390,
    BM_APIC_TIMER_DIVIDE = 0x3e0
};

// Bits of a local vector table entry (section 11.5.1).
enum { BM_APIC_LVT_MASKED = 1 << 16, BM_APIC_LVT_TSC_DEADLINE = 2 << 17 };

// Reads and writes a register of this core's local APIC. Any context after bm_interrupt_start.
uint32_t bm_apic_read(enum bm_apic_register reg);
void bm_apic_write(enum bm_apic_register reg, uint32_t value);

// Fixed vectors. Devices get those between (interrupt.h).
enum {
    BM_VECTOR_DEVICE_FIRST = 0x30,
    BM_VECTOR_DEVICE_LAST = 0x6f,
    BM_VECTOR_TIMER = 0x70,   // local APIC timer: only wakes
    BM_VECTOR_WAKE = 0x71,    // inter-processor wake-up: only wakes
    BM_VECTOR_STOP = 0x72,    // halts the core for ever
    BM_VECTOR_PROFILE = 0x73, // asks the core where it is (profile/)
    BM_VECTOR_SPURIOUS = 0x7f,
    BM_VECTOR_COUNT = 0x80
};
