// The MultiProcessor table, which tells of cores and I/O APICs where there is no ACPI: functions over bytes.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Searches memory[size], which starts on a 16-byte boundary, for the floating pointer structure
// (section 4.1). Returns the physical address of the table that it names, or 0. Any context.
uint32_t bm_mptable_search(const uint8_t *memory, size_t size);

// Tells of a table's processors and I/O APICs in the form of ACPI's MADT, which is what the kernel reads:
// local APIC, and I/O APIC from interrupt 0 on (the table does not say where a second one begins, and the
// kernel takes the first that fits). A table of wrong length or checksum has none. 64 KiB from `table` on can
// be read. Any context.
void bm_mptable_parse(const uint8_t *table, void (*each)(const uint8_t *entry, unsigned length, void *arg),
                      void *arg);

// The machine's table, found, mapped and told of; nothing when it has none. Only in images that link
// baremetal::virtio_mmio, which is what a machine without ACPI has today. Core 0, at boot.
void bm_mptable_each(void (*each)(const uint8_t *entry, unsigned length, void *arg), void *arg)
    __attribute__((weak));
