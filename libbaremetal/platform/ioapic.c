// I/O APIC: routing of the machine's wired interrupts.
// SPDX-License-Identifier: MIT
//
// Registers: Intel 82093AA data sheet, section 3. Tables: ACPI 6.4, sections 5.2.12.3 (I/O APIC) and 5.2.12.5
// (interrupt source override).
#include "../base/start.h"

#include "../cpu/apic.h"
#include "../cpu/core.h"

#include <baremetal/acpi.h>
#include <baremetal/error.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

#include <stddef.h>

enum {
    IOAPICS_MAX = 8,
    ISA_INTERRUPTS = 16,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    REGISTER_VERSION = 1,
    REGISTER_REDIRECTION = 0x10,
    REDIRECTION_VECTOR = 0xff,
    REDIRECTION_MASKED = 1 << 16,
    REDIRECTION_LEVEL = 1 << 15,
    REDIRECTION_ACTIVE_LOW = 1 << 13
};

static struct {
    volatile uint32_t *registers;
    uint32_t first, count; // global system interrupts
} ioapics[IOAPICS_MAX];
static unsigned ioapic_count;

// Where an ISA interrupt arrives, and with which polarity and trigger (MPS INTI flags).
static struct {
    uint32_t input;
    uint16_t flags;
} isa[ISA_INTERRUPTS];

static uint32_t read(unsigned which, uint32_t reg)
{
    ioapics[which].registers[0] = reg;
    return ioapics[which].registers[4];
}

static void write(unsigned which, uint32_t reg, uint32_t value)
{
    ioapics[which].registers[0] = reg;
    ioapics[which].registers[4] = value;
}

static uint32_t get32(const uint8_t *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof(value));
    return value;
}

static void add_ioapic(const uint8_t *entry)
{
    if (ioapic_count == IOAPICS_MAX)
        return;
    volatile void *registers =
        bm_memory_map_device(get32(entry + 4), 0x20, BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    if (!registers)
        return;
    unsigned which = ioapic_count++;
    ioapics[which].registers = registers;
    ioapics[which].first = get32(entry + 8);
    ioapics[which].count = (read(which, REGISTER_VERSION) >> 16 & 0xff) + 1;
    for (uint32_t i = 0; i < ioapics[which].count; i++)
        write(which, REGISTER_REDIRECTION + 2 * i, REDIRECTION_MASKED);
}

static void read_entry(const uint8_t *entry, unsigned length, void *arg)
{
    (void)arg;
    if (entry[0] == MADT_IOAPIC && length >= 12)
        add_ioapic(entry);
    if (entry[0] == MADT_OVERRIDE && length >= 10 && entry[2] == 0 && entry[3] < ISA_INTERRUPTS) {
        isa[entry[3]].input = get32(entry + 4);
        isa[entry[3]].flags = (uint16_t)(entry[8] | entry[9] << 8);
    }
}

void bm_ioapic_start(void)
{
    for (uint32_t i = 0; i < ISA_INTERRUPTS; i++)
        isa[i].input = i;
    bm_acpi_madt_each(read_entry, NULL);
    if (!ioapic_count)
        bm_log_info("ioapic", "the machine's tables name no I/O APIC; wired interrupts are polled");
}

int bm_interrupt_route(uint32_t input, bool level, bool active_low, int vector)
{
    for (unsigned i = 0; i < ioapic_count; i++) {
        uint32_t own = input - ioapics[i].first;
        if (own >= ioapics[i].count)
            continue;
        if (!(read(i, REGISTER_REDIRECTION + 2 * own) & REDIRECTION_MASKED))
            return -BM_EBUSY;
        uint32_t entry = (uint32_t)vector;
        entry |= active_low ? REDIRECTION_ACTIVE_LOW : 0;
        entry |= level ? REDIRECTION_LEVEL : 0;
        write(i, REGISTER_REDIRECTION + 2 * own + 1, bm_core_self()->apic_id << 24);
        write(i, REGISTER_REDIRECTION + 2 * own, entry);
        return 0;
    }
    return -BM_ENODEV;
}

// The destination is the other word: what comes in between goes to the one core or the other.
int bm_interrupt_route_aim(int vector, unsigned core)
{
    const struct bm_core *target = bm_core_get(core);
    if (!target || target->apic_id >= UINT8_MAX)
        return -BM_EINVAL;
    for (unsigned i = 0; i < ioapic_count; i++)
        for (uint32_t reg = REGISTER_REDIRECTION; reg < REGISTER_REDIRECTION + 2 * ioapics[i].count;
             reg += 2) {
            if ((read(i, reg) & (REDIRECTION_MASKED | REDIRECTION_VECTOR)) != (uint32_t)vector)
                continue;
            write(i, reg + 1, target->apic_id << 24);
            return 0;
        }
    return -BM_EINVAL;
}

int bm_interrupt_route_isa(unsigned irq, int vector)
{
    if (irq >= ISA_INTERRUPTS)
        return -BM_EINVAL;
    // Flags: polarity in bits 0-1 (3: low), trigger in bits 2-3 (3: level); 0 is ISA's own: high, edge.
    uint16_t flags = isa[irq].flags;
    return bm_interrupt_route(isa[irq].input, (flags >> 2 & 3) == 3, (flags & 3) == 3, vector);
}
