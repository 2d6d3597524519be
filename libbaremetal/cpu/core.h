// A core's descriptor tables and stacks, private to cpu/.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/cpu.h>

// Segment selectors. There is no user mode: one code and one data segment.
enum { BM_SELECTOR_CODE = 0x08, BM_SELECTOR_DATA = 0x10, BM_SELECTOR_TSS = 0x18 };

// Interrupt stack table: every vector switches stacks, so that the red zone below the interrupted code's
// stack pointer survives.
enum bm_ist {
    BM_IST_INTERRUPT = 1,
    BM_IST_FAULT = 2,
    BM_IST_NMI = 3,
    BM_IST_DOUBLE_FAULT = 4,
    BM_IST_COUNT = 4
};

// Task state segment (Intel SDM volume 3, section 8.7).
struct bm_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
} __attribute__((packed));

// What interrupt.S pushes for a fault: registers in the order of the report.
struct bm_fault_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

// Entry points of the vectors: groups of 16 stubs of 4 bytes, each group followed by 8 bytes.
extern const char bm_interrupt_stubs[];
enum { BM_STUB_SIZE = 4, BM_STUB_GROUP = 16, BM_STUB_GROUP_SIZE = 72 };

// Lets a vector enter the kernel elsewhere, on the same stack. Core 0, at boot.
void bm_interrupt_gate(unsigned vector, const char *entry);

// Reads the CPU's features. First step of bm_cpu_start.
void bm_cpu_features_read(void);

// Turns on what the CPU has: SSE and AVX state, write protection, SMEP, SMAP, UMIP.
void bm_cpu_state_enable(void);

// Called by interrupt.S. An interrupt only wakes; a fault ends the machine.
void bm_interrupt_dispatch(uint64_t vector);
void bm_fault_report(const struct bm_fault_frame *frame) __attribute__((noreturn));

// Whether a core reports a fault; halting the calling core for ever for that reason.
bool bm_fault_reported(void);
void bm_core_stop(void) __attribute__((noreturn));

// Makes the calling core, fresh from its trampoline, one of the kernel's: area, tables and interrupt stacks,
// no number yet. Returns NULL when memory is short.
struct bm_core *bm_core_enter(void);

// The cores that run now (bm_core_count waits for those under way), and the one with a number; NULL when
// there is none.
unsigned bm_core_arrived(void);

// As many as there are to be, at boot before they are called, too.
unsigned bm_core_called(void);
struct bm_core *bm_core_get(unsigned id);

// Turns this core's local APIC on. For every core but the first, whose bm_interrupt_start does more.
void bm_apic_start(void);

// Sends an interrupt to the core with that local APIC id: the low word of the interrupt command register.
void bm_apic_send(uint32_t apic_id, uint32_t command);

// Sends BM_VECTOR_STOP to every other core; returns at once.
void bm_interrupt_stop_others(void);
