// Where the machine's MultiProcessor table is.
// SPDX-License-Identifier: MIT
#include "mptable.h"

#include <baremetal/memory.h>

// The floating pointer structure in a range of the first MiB.
static uint32_t find(uint64_t base, size_t size)
{
    const uint8_t *memory = (void *)bm_memory_map_device(base, size, 0);
    return memory ? bm_mptable_search(memory, size) : 0;
}

// Section 4: the last KiB of base memory, then the BIOS area. (The first KiB of an extended BIOS data area
// elsewhere is left out: who has one has ACPI.) What is mapped stays so: it is asked for twice, and never on
// a machine with ACPI.
void bm_mptable_each(void (*each)(const uint8_t *, unsigned, void *), void *arg)
{
    enum { TABLE_MAX = 0x10000 };
    uint32_t address = find(0x9fc00, 0x400);
    if (!address)
        address = find(0xf0000, 0x10000);
    const uint8_t *table = address ? (void *)bm_memory_map_device(address, TABLE_MAX, 0) : NULL;
    if (table)
        bm_mptable_parse(table, each, arg);
}
