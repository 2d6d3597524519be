// This core's own: per-core area, GDT, TSS, interrupt stacks, IDT.
// SPDX-License-Identifier: MIT
#include "core.h"

#include "../boot/early.h"
#include "../boot/start.h"
#include "apic.h"

#include <baremetal/memory.h>
#include <baremetal/option.h>
#include <baremetal/panic.h>

BM_OPTION(cores, "how many cores to use at most, 1 to 255; one is used so far");

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

// The thread control block until the program's own: the stack protector reads its canary at %fs:0x28 (x86-64
// psABI, TLS).
static struct {
    uint64_t self, unused[4], canary;
} first_tcb;

static struct bm_core first_core;
static struct bm_tss first_tss;
static struct gdt first_gdt;
static struct idt_entry idt[BM_VECTOR_COUNT];

unsigned bm_core_id(void)
{
    return bm_core_self()->id;
}

unsigned bm_core_count(void)
{
    return 1;
}

__attribute__((no_stack_protector)) void bm_core_start(void)
{
    first_core.self = &first_core;
    first_tcb.self = (uint64_t)&first_tcb;
    first_tcb.canary = bm_boot_early_state.canary;
    bm_msr_write(0xc0000100, (uint64_t)&first_tcb);  // FS base
    bm_msr_write(0xc0000101, (uint64_t)&first_core); // GS base
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

static void make_interrupt_stacks(struct bm_tss *tss)
{
    for (unsigned i = 0; i < BM_IST_COUNT; i++) {
        tss->ist[i] = (uint64_t)bm_memory_stack(INTERRUPT_STACK_SIZE);
        if (!tss->ist[i])
            bm_panic("not enough memory for the interrupt stacks; give the machine more memory");
    }
    tss->io_map_base = sizeof(*tss);
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

static void load_idt(void)
{
    for (unsigned i = 0; i < BM_VECTOR_COUNT; i++) {
        uint64_t stub = (uint64_t)bm_interrupt_stubs + i / BM_STUB_GROUP * BM_STUB_GROUP_SIZE +
                        i % BM_STUB_GROUP * BM_STUB_SIZE;
        idt[i] = (struct idt_entry){
            .offset_low = (uint16_t)stub,
            .selector = BM_SELECTOR_CODE,
            .ist = (uint8_t)stack_for(i),
            .type = IDT_INTERRUPT_GATE,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
    struct table_pointer pointer = {sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void bm_cpu_start(void)
{
    bm_option_number("cores", 1, BM_CORES_MAX, 1);
    bm_cpu_features_read();
    make_interrupt_stacks(&first_tss);
    load_gdt(&first_gdt, &first_tss);
    load_idt();
    bm_cpu_state_enable();
}
