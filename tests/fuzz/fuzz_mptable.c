// Fuzzer of the MultiProcessor table: any bytes as floating pointer and as table.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/platform/mptable.c libbaremetal/platform/acpi_tables.c
// @max_len 2048
#include "../../libbaremetal/platform/mptable.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned sink;

static void see_entry(const uint8_t *entry, unsigned length, void *arg)
{
    (void)arg;
    if (length != (entry[0] == 0 ? 8u : 12u) || entry[0] > 1)
        abort();
    for (unsigned i = 0; i < length; i++)
        sink += entry[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { READABLE = 65536 };
    sink += bm_mptable_search(data, size);
    uint8_t *table = calloc(1, READABLE);
    if (!table)
        abort();
    memcpy(table, data, size);
    // The checksum is set right, so that most inputs get behind it.
    size_t length = size < 8 ? 0 : (size_t)(table[4] | table[5] << 8);
    memcpy(table, "PCMP", 4);
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += table[i];
    table[7] -= sum;
    bm_mptable_parse(table, see_entry, NULL);
    free(table);
    return 0;
}
