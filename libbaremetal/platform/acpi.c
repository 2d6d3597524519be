// ACPI: finds the root pointer, maps the tables and hands out what the kernel needs of them.
// SPDX-License-Identifier: MIT
//
// Every table is mapped once, at boot, so that everything else here only reads memory: power-off works after
// a fault too. Checksums are verified when a table is asked for; the large ones (DSDT, SSDT) cost nothing
// until then.
#include "../base/start.h"
#include "acpi_devices.h"
#include "acpi_tables.h"
#include "mptable.h"

#include <baremetal/boot.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

enum { BM_ACPI_TABLES_MAX = 64 };

static const struct bm_acpi_header *bm_acpi_tables[BM_ACPI_TABLES_MAX];
static unsigned bm_acpi_table_count;
static const struct bm_acpi_header *bm_acpi_dsdt;
static struct bm_acpi_fadt bm_acpi_fadt;         // all zeros when the machine has none
static volatile uint8_t *bm_acpi_sleep_register; // of a machine with hardware-reduced ACPI

// Maps the table at a physical address, its length checked, its checksum not. NULL when it cannot be a table.
static const struct bm_acpi_header *bm_acpi_map(uint64_t physical)
{
    // Mostly the table ends on the page on which it starts.
    size_t size = BM_PAGE_SIZE - physical % BM_PAGE_SIZE;
    if (size < sizeof(struct bm_acpi_header))
        size += BM_PAGE_SIZE;
    if (physical == 0 || physical >= 1ull << 52)
        return NULL;
    struct bm_acpi_header *table = (void *)bm_memory_map_device(physical, size, 0);
    if (!table)
        return NULL;
    uint32_t length = table->length;
    if (length >= sizeof *table && length <= size)
        return table;
    bm_memory_unmap_device(table, size);
    if (length < sizeof *table || length > BM_ACPI_TABLE_MAX)
        return NULL;
    return (void *)bm_memory_map_device(physical, length, 0);
}

// Searches a range of the first MiB for the root pointer.
static bool bm_acpi_search(uint64_t physical, size_t size, struct bm_acpi_root *root)
{
    uint8_t *memory = (void *)bm_memory_map_device(physical, size, 0);
    if (!memory)
        return false;
    bool found = bm_acpi_rsdp_search(memory, size, root);
    bm_memory_unmap_device(memory, size);
    return found;
}

// The root pointer: where the loader says, else in the first KiB of the EBDA, else in the BIOS area
// (section 5.2.5.1).
static bool bm_acpi_root_find(struct bm_acpi_root *root)
{
    uint64_t rsdp = bm_boot_info_get()->rsdp;
    if (rsdp && bm_acpi_search(rsdp, BM_ACPI_RSDP_SIZE, root))
        return true;
    uint16_t *ebda_segment = (void *)bm_memory_map_device(0x40e, sizeof *ebda_segment, 0);
    if (ebda_segment) {
        uint64_t ebda = (uint64_t)*ebda_segment << 4;
        bm_memory_unmap_device(ebda_segment, sizeof *ebda_segment);
        if (ebda >= 0x80000 && ebda < 0xa0000 && bm_acpi_search(ebda, 1024, root))
            return true;
    }
    return bm_acpi_search(0xe0000, 0x20000, root);
}

// A machine without ACPI is logged and goes on.
void bm_acpi_start(void)
{
    struct bm_acpi_root place;
    const struct bm_acpi_header *root = bm_acpi_root_find(&place) ? bm_acpi_map(place.address) : NULL;
    if (!root || !bm_acpi_is(root->signature, place.wide ? "XSDT" : "RSDT") ||
        !bm_acpi_table_check(root, root->length)) {
        bm_log_warn("acpi", "no usable root table: no power-off, no PCI express");
        return;
    }
    for (unsigned i = 0; i < bm_acpi_root_count(root, place.wide) && bm_acpi_table_count < BM_ACPI_TABLES_MAX;
         i++) {
        const struct bm_acpi_header *table = bm_acpi_map(bm_acpi_root_entry(root, place.wide, i));
        if (table)
            bm_acpi_tables[bm_acpi_table_count++] = table;
    }
    const struct bm_acpi_header *fadt = bm_acpi_find("FACP", 0);
    if (!fadt || !bm_acpi_fadt_parse(fadt, &bm_acpi_fadt))
        return;
    bm_acpi_dsdt = bm_acpi_map(bm_acpi_fadt.dsdt);
    if (bm_acpi_fadt.sleep_address && bm_acpi_fadt.sleep_space == 0 && bm_acpi_fadt.hardware_reduced)
        bm_acpi_sleep_register =
            bm_memory_map_device(bm_acpi_fadt.sleep_address, 1, BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
}

const struct bm_acpi_header *bm_acpi_find(const char signature[4], unsigned index)
{
    for (unsigned i = 0; i < bm_acpi_table_count; i++) {
        const struct bm_acpi_header *table = bm_acpi_tables[i];
        if (!bm_acpi_is(table->signature, signature) || !bm_acpi_table_check(table, table->length))
            continue;
        if (index-- == 0)
            return table;
    }
    return NULL;
}

// The `index`-th table of AML, the DSDT first.
static const struct bm_acpi_header *bm_acpi_aml_table(unsigned index)
{
    if (index)
        return bm_acpi_find("SSDT", index - 1);
    const struct bm_acpi_header *dsdt = bm_acpi_dsdt;
    return dsdt && bm_acpi_is(dsdt->signature, "DSDT") && bm_acpi_table_check(dsdt, dsdt->length) ? dsdt
                                                                                                  : NULL;
}

int bm_acpi_sleep_get(struct bm_acpi_sleep *sleep)
{
    const struct bm_acpi_fadt *fadt = &bm_acpi_fadt;
    const struct bm_acpi_header *dsdt = bm_acpi_aml_table(0);
    sleep->control = bm_acpi_sleep_register;
    sleep->control_port = fadt->hardware_reduced && fadt->sleep_space == 1 && fadt->sleep_address <= 0xffff
                              ? (uint16_t)fadt->sleep_address
                              : 0;
    sleep->pm1a_control = fadt->hardware_reduced ? 0 : fadt->pm1a_control;
    sleep->pm1b_control = fadt->pm1b_control;
    if (!sleep->control && !sleep->control_port && !sleep->pm1a_control)
        return -BM_ENODEV;
    return dsdt && bm_acpi_s5_parse((const uint8_t *)(dsdt + 1), dsdt->length - sizeof *dsdt, sleep)
               ? 0
               : -BM_ENODEV;
}

int bm_acpi_pm_timer(uint16_t *port, unsigned *bits)
{
    if (!bm_acpi_fadt.pm_timer || bm_acpi_fadt.hardware_reduced)
        return -BM_ENODEV;
    *port = bm_acpi_fadt.pm_timer;
    *bits = bm_acpi_fadt.pm_timer_bits;
    return 0;
}

void bm_acpi_devices_each(const char *hid, void (*each)(const struct bm_acpi_device *, void *), void *arg)
{
    const struct bm_acpi_header *aml;
    if (!bm_acpi_fadt.hardware_reduced)
        return;
    for (unsigned i = 0; (aml = bm_acpi_aml_table(i)) || i == 0; i++)
        if (aml)
            bm_acpi_devices_parse((const uint8_t *)(aml + 1), aml->length - sizeof *aml, hid, each, arg);
}

void bm_acpi_madt_each(void (*each)(const uint8_t *entry, unsigned length, void *arg), void *arg)
{
    const struct bm_acpi_header *madt = bm_acpi_find("APIC", 0);
    if (madt)
        bm_acpi_madt_parse(madt, each, arg);
    else if (bm_mptable_each)
        bm_mptable_each(each, arg);
}
