// The MultiProcessor table: cores and I/O APIC of machines without ACPI.
// SPDX-License-Identifier: MIT
//
// QEMU: -machine microvm,acpi=off (its firmware writes the table); Firecracker up to version 1.7 has nothing
// else. Section numbers are those of Intel's MultiProcessor Specification, version 1.4.
#include "mptable.h"

#include "acpi_tables.h"

enum { HEADER = 44 };
enum { PROCESSOR = 0, BUS = 1, IOAPIC = 2, INTERRUPT = 3, LOCAL_INTERRUPT = 4 }; // section 4.3
enum { ENABLED = 1 }; // of a processor, of an I/O APIC

uint32_t bm_mptable_search(const uint8_t *memory, size_t size)
{
    enum { SIZE = 16, ADDRESS = 4 };
    for (; size >= SIZE; memory += SIZE, size -= SIZE) {
        uint32_t address;
        __builtin_memcpy(&address, memory + ADDRESS, sizeof address);
        if (bm_acpi_is(memory, "_MP_") && !bm_acpi_sum(memory, SIZE))
            return address;
    }
    return 0;
}

// Buses and their interrupts are passed over: on the machines that have this table and no ACPI each ISA
// interrupt arrives at the I/O APIC's input of the same number, which is what the kernel takes for granted.
void bm_mptable_parse(const uint8_t *table, void (*each)(const uint8_t *, unsigned, void *), void *arg)
{
    size_t size = (size_t)(table[4] | table[5] << 8);
    if (size < HEADER || !bm_acpi_is(table, "PCMP") || bm_acpi_sum(table, size))
        return;
    const uint8_t *end = table + size;
    size_t length;
    for (const uint8_t *p = table + HEADER; p < end && *p <= LOCAL_INTERRUPT; p += length) {
        length = *p == PROCESSOR ? 20 : 8;
        if ((size_t)(end - p) < length)
            return;
        uint32_t entry[3] = {0x0800 | (uint32_t)p[1] << 24, ENABLED, 0}; // local APIC, its ID
        if (*p == IOAPIC) {
            entry[0] = 0x0c01;
            __builtin_memcpy(&entry[1], p + 4, 4);
        } else if (*p != PROCESSOR) {
            continue;
        }
        if (p[3] & ENABLED)
            each((const uint8_t *)entry, entry[0] >> 8 & 0xff, arg);
    }
}
