// ACPI: finding tables, and what the kernel needs of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Header of every system description table (ACPI 6.4 section 5.2.6).
struct bm_acpi_header {
    char signature[4];
    uint32_t length; // whole table, checked to lie in mapped memory
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
} __attribute__((packed));

// The `index`-th table with that signature (0: the first), mapped for ever, its length and checksum verified;
// NULL when there is none. Any core, any context.
const struct bm_acpi_header *bm_acpi_find(const char signature[4], unsigned index);

// What power-off needs, read from the FADT and the DSDT's \_S5 package (sections 4.8.3 and 7.4.2): PM1
// control registers, or on a machine with hardware-reduced ACPI the sleep control register. Returns 0 or
// -BM_ENODEV. Only reads memory that bm_acpi_start mapped. Any core, any context.
struct bm_acpi_sleep {
    volatile uint8_t *control;           // the sleep control register in memory, mapped; NULL when absent
    uint16_t control_port;               // … among the ports; 0 when absent
    uint16_t pm1a_control, pm1b_control; // ports; 0 when absent
    uint16_t type_a, type_b;             // SLP_TYP values
};
int bm_acpi_sleep_get(struct bm_acpi_sleep *sleep);

// The ACPI PM timer's port and width in `bits` (24 or 32), from the FADT. Returns 0 or -BM_ENODEV. Any core,
// any context.
int bm_acpi_pm_timer(uint16_t *port, unsigned *bits);

// Calls each(entry, length, arg) for every MADT entry (section 5.2.12), whose length was checked to lie in
// the table. The entry's own fields still have to be compared with `length`. Any core, any context.
void bm_acpi_madt_each(void (*each)(const uint8_t *entry, unsigned length, void *arg), void *arg);

// A device that the machine's AML describes by constants: its registers, and its interrupt if it has one.
struct bm_acpi_device {
    uint64_t base, size; // physical address, bytes; as firmware wrote them
    uint32_t interrupt;  // global system interrupt
    bool wired;          // `interrupt` is valid
    bool edge;           // not level
    bool active_low;     // not high
};

// Calls each(device, arg) for every device whose hardware ID is the string `hid`, in the DSDT and the SSDTs
// of a machine with hardware-reduced ACPI (section 3.11.1), which has no PCI to find devices by; of other
// machines for none. There is no interpreter: devices whose _HID and _CRS are not constants are not found.
// Core 0, at boot.
void bm_acpi_devices_each(const char *hid, void (*each)(const struct bm_acpi_device *device, void *arg),
                          void *arg);

#ifdef __cplusplus
}
#endif
