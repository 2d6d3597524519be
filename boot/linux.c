// Linux's 64-bit boot protocol: how Firecracker up to 1.11, crosvm and others enter an ELF file.
// SPDX-License-Identifier: MIT
//
// Linux kernel documentation, arch/x86/boot.rst ("64-bit Boot Protocol") and arch/x86/zero-page.rst, which
// names the offsets.
#include "protocol.h"

// What is used of the 4096 bytes, at the offsets that zero-page.rst tells.
struct __attribute__((packed)) parameters {
    uint8_t unused_0[0x70];
    uint64_t rsdp;
    uint8_t unused_1[0x1e8 - 0x78];
    uint8_t map_entries;
    uint8_t unused_2[0x202 - 0x1e9];
    uint32_t magic;
    uint8_t unused_3[0x218 - 0x206];
    uint32_t module_base, module_length;
    uint8_t unused_4[0x228 - 0x220];
    uint32_t command_line;
};
_Static_assert(__builtin_offsetof(struct parameters, command_line) == 0x228,
               "fields are where Linux has them");

enum {
    SIZE = 4096,
    MAGIC = 0x53726448 /* "HdrS" */,
    MAP = 0x2d0,
    MAP_ENTRY_SIZE = 20,
    MAP_ENTRIES_MAX = 128
};

// A command line above 4 GiB would be out of reach, so the upper half of its address is not looked at.
bool bm_boot_read_linux(struct bm_boot_info *info, uint64_t zero_page)
{
    const struct parameters *parameters = bm_boot_physical(zero_page, SIZE);
    if (!parameters || parameters->magic != MAGIC)
        return false;
    info->rsdp = parameters->rsdp;
    if (parameters->command_line)
        bm_boot_command_line_copy(info, parameters->command_line, UINT32_MAX);
    if (parameters->module_length)
        info->modules[info->module_count++] =
            (struct bm_boot_module){parameters->module_base, parameters->module_length};
    uint32_t count = parameters->map_entries;
    bm_boot_map_read(info, zero_page + MAP, count < MAP_ENTRIES_MAX ? count : MAP_ENTRIES_MAX,
                     MAP_ENTRY_SIZE);
    return true;
}
