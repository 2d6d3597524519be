// Reads the start information of the PVH entry: QEMU's -kernel, Xen, Firecracker, Cloud Hypervisor.
// SPDX-License-Identifier: MIT
//
// Layout: Xen public header arch-x86/hvm/start_info.h, versions 0 and 1.
#include "protocol.h"

enum { PVH_MAGIC = 0x336ec578, PVH_MEMMAP_ENTRIES_MAX = 4096 };

struct pvh_start_info {
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

struct pvh_module {
    uint64_t base, length, command_line, reserved;
};

struct pvh_region {
    uint64_t base, length;
    uint32_t type, reserved;
};

// Copies what stands at a physical address: nothing there promises an alignment.
static bool copy(void *to, uint64_t physical, uint64_t length)
{
    const void *from = bm_boot_physical(physical, length);
    if (from)
        __builtin_memcpy(to, from, length);
    return from;
}

static void read_modules(struct bm_boot_info *info, const struct pvh_start_info *start)
{
    for (uint32_t i = 0; i < start->module_count && i < BM_BOOT_MODULES_MAX; i++) {
        struct pvh_module module;
        if (!copy(&module, start->module_list + i * sizeof(module), sizeof(module)))
            return;
        if (module.length && module.base + module.length > module.base)
            info->modules[info->module_count++] = (struct bm_boot_module){module.base, module.length};
    }
}

bool bm_boot_read_pvh(struct bm_boot_info *info, uint64_t start_info)
{
    struct pvh_start_info start;
    if (!copy(&start, start_info, __builtin_offsetof(struct pvh_start_info, memory_map)) ||
        start.magic != PVH_MAGIC)
        return false;
    info->rsdp = start.rsdp;
    if (start.command_line)
        bm_boot_command_line_copy(info, start.command_line, UINT32_MAX);
    read_modules(info, &start);
    if (start.version < 1 || !copy(&start, start_info, sizeof(start)))
        return true;
    for (uint32_t i = 0; i < start.memory_map_entries && i < PVH_MEMMAP_ENTRIES_MAX; i++) {
        struct pvh_region region;
        if (!copy(&region, start.memory_map + i * sizeof(region), sizeof(region)))
            break;
        bm_boot_map_add(info, region.base, region.length, region.type);
    }
    return true;
}
