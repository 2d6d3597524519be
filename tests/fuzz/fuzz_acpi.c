// Fuzzer of the ACPI tables' parsers: any bytes as root pointer, table, FADT, MADT and AML.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/platform/acpi_tables.c libbaremetal/platform/acpi_devices.c
// @max_len 2048
#include "../../libbaremetal/platform/acpi_devices.h"
#include "../../libbaremetal/platform/acpi_tables.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned sink; // what was read goes here, so that every byte is

static void see_entry(const uint8_t *entry, unsigned length, void *arg)
{
    (void)arg;
    if (length < 2)
        abort();
    for (unsigned i = 0; i < length; i++)
        sink += entry[i];
}

// Sets the checksum right, so that most inputs get behind it.
static void seal(struct bm_acpi_header *table, size_t size)
{
    uint8_t sum = 0;
    if (size < sizeof *table || table->length > size)
        return;
    table->checksum = 0;
    for (size_t i = 0; i < table->length; i++)
        sum += ((const uint8_t *)table)[i];
    table->checksum = (uint8_t)-sum;
}

static void read_table(struct bm_acpi_header *table, size_t size)
{
    struct bm_acpi_fadt fadt;
    seal(table, size);
    if (!bm_acpi_table_check(table, size))
        return;
    for (int wide = 0; wide < 2; wide++)
        for (unsigned i = 0; i < bm_acpi_root_count(table, wide); i++)
            sink += (unsigned)bm_acpi_root_entry(table, wide, i);
    bm_acpi_fadt_parse(table, &fadt);
    bm_acpi_madt_parse(table, see_entry, NULL);
}

static void see_device(const struct bm_acpi_device *device, void *arg)
{
    (void)arg;
    if (device->size == 0)
        abort();
    sink += (unsigned)device->base + device->interrupt;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bm_acpi_root root;
    struct bm_acpi_sleep sleep;
    bm_acpi_rsdp_search(data, size, &root);
    if (bm_acpi_s5_parse(data, size, &sleep) && (sleep.type_a > 7 || sleep.type_b > 7))
        abort();
    bm_acpi_devices_parse(data, size, "LNRO0005", see_device, NULL);
    struct bm_acpi_header *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    read_table(copy, size);
    free(copy);
    return 0;
}
