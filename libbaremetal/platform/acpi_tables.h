// ACPI parsing over bytes in memory: nothing here maps, allocates or logs, so fuzzers can run it.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of the ACPI specification, version 6.4. Every function may be called in any
// context.
#pragma once

#include <baremetal/acpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BM_ACPI_TABLE_MAX = 16 << 20, // bytes; a table that claims to be longer is refused
    BM_ACPI_RSDP_SIZE = 36        // bytes of a revision 2 root pointer; revision 0 has 20
};

// Whether the four bytes at `bytes` are that signature.
static inline bool bm_acpi_is(const void *bytes, const char signature[4])
{
    uint32_t a, b;
    __builtin_memcpy(&a, bytes, 4);
    __builtin_memcpy(&b, signature, 4);
    return a == b;
}

// Sum of all bytes modulo 256; 0 when a checksum is right.
uint8_t bm_acpi_sum(const uint8_t *bytes, size_t size);

// Where the root pointer leads to.
struct bm_acpi_root {
    uint64_t address; // physical address of the RSDT or XSDT
    bool wide;        // XSDT: entries of 8 bytes
};

// Reads a root pointer (section 5.2.5.3), checking signature and checksums. Returns whether it is one.
bool bm_acpi_rsdp_parse(const uint8_t *bytes, size_t size, struct bm_acpi_root *root);

// Searches memory[size], which starts on a 16-byte boundary, for a root pointer (section 5.2.5.1). Returns
// whether there is one.
bool bm_acpi_rsdp_search(const uint8_t *memory, size_t size, struct bm_acpi_root *root);

// Whether `size` bytes at `table` hold a whole table: a sane length that fits, and a good checksum
// (section 5.2.6).
bool bm_acpi_table_check(const struct bm_acpi_header *table, size_t size);

// The number of entries of a checked root table, and the physical address in the `index`-th of them
// (section 5.2.7 and 5.2.8).
unsigned bm_acpi_root_count(const struct bm_acpi_header *root, bool wide);
uint64_t bm_acpi_root_entry(const struct bm_acpi_header *root, bool wide, unsigned index);

// What the kernel uses of the FADT (section 5.2.9). Ports are 0 when absent.
struct bm_acpi_fadt {
    uint64_t dsdt; // physical address
    uint16_t pm1a_control, pm1b_control, pm_timer;
    uint8_t pm_timer_bits;
    uint64_t sleep_address; // SLEEP_CONTROL_REG, by its address space: 0 memory, 1 ports; address 0: absent
    uint8_t sleep_space;
    bool hardware_reduced; // section 3.11.1: none of the fixed registers exist
};

// Reads a checked FADT. Returns whether it is long enough to be one.
bool bm_acpi_fadt_parse(const struct bm_acpi_header *table, struct bm_acpi_fadt *fadt);

// Reads an AML PkgLength at *aml (section 20.2.4): moves *aml behind it and sets *package_end to the end of
// what it measures. Returns whether that end is not beyond `end`.
bool bm_acpi_package_length(const uint8_t **aml, const uint8_t *end, const uint8_t **package_end);

// Reads one AML integer constant (section 20.2.3) and moves *aml behind it; *value gets its lowest byte.
// Returns whether there is one before `end`.
bool bm_acpi_aml_integer(const uint8_t **aml, const uint8_t *end, uint16_t *value);

// Finds Name (\_S5_, Package {a, b, …}) in AML (sections 7.4.2 and 20.2) without interpreting the rest.
// Returns whether it is there and whole; fills in only type_a and type_b.
bool bm_acpi_s5_parse(const uint8_t *aml, size_t size, struct bm_acpi_sleep *sleep);

// Calls each() for every entry of a checked MADT (section 5.2.12), stopping at the first whose length is
// wrong.
void bm_acpi_madt_parse(const struct bm_acpi_header *table, void (*each)(const uint8_t *, unsigned, void *),
                        void *arg);
