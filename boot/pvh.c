// Reads the start information of the PVH entry: QEMU's -kernel, Xen, Firecracker, Cloud Hypervisor.
// SPDX-License-Identifier: MIT
//
// Layout: Xen public header arch-x86/hvm/start_info.h, versions 0 and 1.
#include "protocol.h"

enum { PVH_MAGIC = 0x336ec578, PVH_REGION_SIZE = 24 };

// Nothing promises an alignment.
struct __attribute__((packed)) pvh_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t module_list;
    uint64_t command_line;
    uint64_t rsdp;
    // Version 1 and later:
    uint64_t memory_map;
    uint32_t memory_map_entries;
    uint32_t reserved;
};

struct __attribute__((packed)) pvh_module {
    uint64_t base, length, command_line, reserved;
};

static void read_modules(struct bm_boot_info *info, uint64_t list, uint32_t count)
{
    for (; count && info->module_count < BM_BOOT_MODULES_MAX; count--, list += sizeof(struct pvh_module)) {
        const struct pvh_module *module = bm_boot_physical(list, sizeof(*module));
        if (!module)
            return;
        if (module->length && module->base + module->length > module->base)
            info->modules[info->module_count++] = (struct bm_boot_module){module->base, module->length};
    }
}

bool bm_boot_read_pvh(struct bm_boot_info *info, uint64_t start_info)
{
    enum { VERSION_0_SIZE = __builtin_offsetof(struct pvh_start_info, memory_map) };
    const struct pvh_start_info *start = bm_boot_physical(start_info, VERSION_0_SIZE);
    if (!start || start->magic != PVH_MAGIC)
        return false;
    info->rsdp = start->rsdp;
    if (start->command_line)
        bm_boot_command_line_copy(info, start->command_line, UINT32_MAX);
    read_modules(info, start->module_list, start->module_count);
    if (start->version >= 1 && bm_boot_physical(start_info, sizeof(*start)))
        bm_boot_map_read(info, start->memory_map, start->memory_map_entries, PVH_REGION_SIZE);
    return true;
}
