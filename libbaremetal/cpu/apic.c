// Local APIC (xAPIC and x2APIC) and the legacy PIC, which is turned off.
// SPDX-License-Identifier: MIT
//
// Intel SDM volume 3, chapter 11.
#include "apic.h"

#include "../base/start.h"
#include "core.h"

#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>

enum {
    MSR_APIC_BASE = 0x1b,
    APIC_BASE_ENABLE = 1 << 11,
    APIC_BASE_X2APIC = 1 << 10,
    MSR_X2APIC = 0x800,
    SPURIOUS_ENABLE = 1 << 8,
    ICR_PENDING = 1 << 12,
    ICR_ASSERT = 1 << 14,
    ICR_ALL_BUT_SELF = 3 << 18
};

static volatile uint32_t *page; // NULL in x2APIC mode

uint32_t bm_apic_read(enum bm_apic_register reg)
{
    if (page)
        return page[reg / 4];
    return (uint32_t)bm_msr_read(MSR_X2APIC + reg / 16);
}

void bm_apic_write(enum bm_apic_register reg, uint32_t value)
{
    if (page)
        page[reg / 4] = value;
    else
        bm_msr_write(MSR_X2APIC + reg / 16, value);
}

// Both 8259A are given vectors of their own, so that a spurious interrupt is not taken for an exception, and
// masked for good.
static void turn_off_pic(void)
{
    static const uint8_t words[][2] = {
        {0x20, 0x11}, {0xa0, 0x11}, // ICW1: initialise, ICW4 follows
        {0x21, 0x20}, {0xa1, 0x28}, // ICW2: vectors 0x20 and 0x28
        {0x21, 0x04}, {0xa1, 0x02}, // ICW3: cascade on input 2
        {0x21, 0x01}, {0xa1, 0x01}, // ICW4: 8086 mode
        {0x21, 0xff}, {0xa1, 0xff}, // mask all
    };
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        bm_port_out8(words[i][0], words[i][1]);
}

static void enable(void)
{
    uint64_t base = bm_msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE;
    if (bm_cpu_features_get()->x2apic)
        base |= APIC_BASE_X2APIC;
    bm_msr_write(MSR_APIC_BASE, base);
    if (base & APIC_BASE_X2APIC || page)
        return;
    page = bm_memory_map_device(base & 0x000ffffffffff000ull, BM_PAGE_SIZE,
                                BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    if (!page)
        bm_panic("not enough memory to map the local APIC");
}

void bm_apic_start(void)
{
    enable();
    uint32_t id = bm_apic_read(BM_APIC_ID);
    bm_core_self()->apic_id = page ? id >> 24 : id;
    bm_apic_write(BM_APIC_TPR, 0);
    bm_apic_write(BM_APIC_LVT_TIMER, BM_APIC_LVT_MASKED);
    bm_apic_write(BM_APIC_LVT_LINT0, BM_APIC_LVT_MASKED); // the PIC's line
    bm_apic_write(BM_APIC_LVT_ERROR, BM_APIC_LVT_MASKED);
    bm_apic_write(BM_APIC_SPURIOUS, SPURIOUS_ENABLE | BM_VECTOR_SPURIOUS);
}

void bm_interrupt_start(void)
{
    turn_off_pic();
    bm_apic_start();
}

void bm_interrupt_enable(void)
{
    __asm__ volatile("sti");
}

// The command has two registers in xAPIC mode: nothing may come between, and the last one must have left
// (section 11.6.1).
void bm_apic_send(uint32_t apic_id, uint32_t command)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    if (page) {
        while (bm_apic_read(BM_APIC_ICR) & ICR_PENDING)
            __builtin_ia32_pause();
        bm_apic_write(BM_APIC_ICR_HIGH, apic_id << 24);
        bm_apic_write(BM_APIC_ICR, command);
    } else {
        __asm__ volatile("mfence; lfence"
                         :
                         :
                         : "memory"); // writes to these registers do not order (section 11.12.3)
        bm_msr_write(MSR_X2APIC + BM_APIC_ICR / 16, (uint64_t)apic_id << 32 | command);
    }
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

void bm_apic_stop_others(void)
{
    if (bm_core_arrived() > 1)
        bm_apic_send(0, ICR_ALL_BUT_SELF | ICR_ASSERT | BM_VECTOR_STOP);
}
