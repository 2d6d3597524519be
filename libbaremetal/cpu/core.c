// This core's own: per-core area, GDT, TSS, interrupt stacks, IDT.
// SPDX-License-Identifier: MIT
#include "core.h"

#include "../base/early.h"
#include "../base/start.h"
#include "apic.h"

#include <baremetal/memory.h>
#include <baremetal/panic.h>

#include <stddef.h>

enum { INTERRUPT_STACK_SIZE = 8192, IDT_INTERRUPT_GATE = 0x8e };

// A core's descriptor table: null, code, data, and the TSS's two words.
struct gdt {
    uint64_t null, code, data, tss_low, tss_high;
};

struct idt_entry {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

// All that a core has to itself but its stacks.
struct bm_core_area {
    struct bm_core core;
    // The thread control block until the program's own: the stack protector of its code and of the C library
    // reads the canary at %fs:0x28 (x86-64 psABI, TLS). The kernel's has its own, which no thread changes.
    struct {
        uint64_t self, unused[4], canary;
    } tcb;
    struct gdt gdt;
    struct bm_tss tss;
};
_Static_assert(sizeof(struct bm_core_area) <= BM_PAGE_SIZE, "bm_core_enter gives it a page");

static struct bm_core_area first_area;
static struct idt_entry idt[BM_VECTOR_COUNT];

__attribute__((no_stack_protector)) static void use_area(struct bm_core_area *area)
{
    area->core.self = &area->core;
    area->tcb.self = (uint64_t)&area->tcb;
    area->tcb.canary = bm_boot_early_state.seed & ~0xffull;
    area->core.canary = bm_boot_early_state.canary;
    bm_msr_write(0xc0000100, (uint64_t)&area->tcb);  // FS base
    bm_msr_write(0xc0000101, (uint64_t)&area->core); // GS base
}

__attribute__((no_stack_protector)) void bm_core_start(void)
{
    use_area(&first_area);
    bm_core_add(&first_area.core);
}

static void load_gdt(struct gdt *gdt, struct bm_tss *tss)
{
    uint64_t base = (uint64_t)tss;
    *gdt = (struct gdt){
        .code = 0x00af9b000000ffff, // 64-bit code, present, accessed
        .data = 0x00cf93000000ffff,
        .tss_low = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56,
        .tss_high = base >> 32,
    };
    struct table_pointer pointer = {sizeof(*gdt) - 1, (uint64_t)gdt};
    // The data segments' descriptors are never used in long mode; %cs and %ss must be valid for iretq.
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%ss\n\t"
                     "ltr %w3"
                     :
                     : "m"(pointer), "i"(BM_SELECTOR_CODE), "r"(BM_SELECTOR_DATA), "r"(BM_SELECTOR_TSS)
                     : "rax", "memory");
}

static bool make_interrupt_stacks(struct bm_tss *tss)
{
    for (unsigned i = 0; i < BM_IST_COUNT; i++) {
        tss->ist[i] = (uint64_t)bm_memory_stack(INTERRUPT_STACK_SIZE);
        if (!tss->ist[i])
            return false;
    }
    tss->io_map_base = sizeof(*tss);
    return true;
}

static enum bm_ist stack_for(unsigned vector)
{
    switch (vector) {
    case 2:  // NMI
    case 18: // machine check
        return BM_IST_NMI;
    case 8:
        return BM_IST_DOUBLE_FAULT;
    default:
        return vector < 32 ? BM_IST_FAULT : BM_IST_INTERRUPT;
    }
}

void bm_interrupt_gate(unsigned vector, const char *entry)
{
    uint64_t address = (uint64_t)entry;
    idt[vector] = (struct idt_entry){
        .offset_low = (uint16_t)address,
        .selector = BM_SELECTOR_CODE,
        .ist = (uint8_t)stack_for(vector),
        .type = IDT_INTERRUPT_GATE,
        .offset_middle = (uint16_t)(address >> 16),
        .offset_high = (uint32_t)(address >> 32),
    };
}

static void make_idt(void)
{
    for (unsigned i = 0; i < BM_VECTOR_COUNT; i++)
        bm_interrupt_gate(i, bm_interrupt_stubs + i / BM_STUB_GROUP * BM_STUB_GROUP_SIZE +
                                 i % BM_STUB_GROUP * BM_STUB_SIZE);
}

static void load_tables(struct bm_core_area *area)
{
    load_gdt(&area->gdt, &area->tss);
    struct table_pointer pointer = {sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
    bm_cpu_state_enable();
}

void bm_cpu_start(void)
{
    bm_cpu_features_read();
    if (!make_interrupt_stacks(&first_area.tss))
        bm_panic("not enough memory for the interrupt stacks; give the machine more memory");
    make_idt();
    load_tables(&first_area);
}

__attribute__((no_stack_protector)) struct bm_core *bm_core_enter(void)
{
    // Not bm_frame_allocate, in front of which there may be caches, one for each core.
    struct bm_core_area *area = bm_frame_allocate_below(0, 64);
    if (!area)
        return NULL;
    __builtin_memset(area, 0, sizeof(*area));
    use_area(area);
    if (!make_interrupt_stacks(&area->tss))
        return NULL;
    load_tables(area);
    return &area->core;
}
