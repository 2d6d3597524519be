// The firmware's memory map and command line, brought into the form that struct bm_boot_info promises.
// SPDX-License-Identifier: MIT
#include "protocol.h"

#define PAGE 4096ull

void bm_boot_map_add(struct bm_boot_info *info, uint64_t base, uint64_t length, uint32_t type)
{
    if (!length || base + length < base)
        return;
    if (info->region_count == BM_BOOT_REGIONS_MAX) {
        info->regions_dropped++;
        return;
    }
    if (type < BM_BOOT_REGION_RAM || type > BM_BOOT_REGION_UNUSABLE)
        type = BM_BOOT_REGION_RESERVED;
    info->regions[info->region_count++] = (struct bm_boot_region){base, length, type, 0};
}

static void remove_region(struct bm_boot_info *info, uint32_t index)
{
    info->region_count--;
    for (uint32_t i = index; i < info->region_count; i++)
        info->regions[i] = info->regions[i + 1];
}

// Whole pages: RAM shrinks to those it covers fully, everything else grows to those it touches.
static void align_regions(struct bm_boot_info *info)
{
    for (uint32_t i = 0; i < info->region_count;) {
        struct bm_boot_region *region = &info->regions[i];
        uint64_t begin = region->base, end = begin + region->length;
        if (region->type == BM_BOOT_REGION_RAM) {
            begin = begin > UINT64_MAX - PAGE ? end : (begin + PAGE - 1) & ~(PAGE - 1);
            end &= ~(PAGE - 1);
        } else {
            begin &= ~(PAGE - 1);
            end = end > UINT64_MAX - PAGE ? UINT64_MAX & ~(PAGE - 1) : (end + PAGE - 1) & ~(PAGE - 1);
        }
        if (begin >= end) {
            remove_region(info, i);
            continue;
        }
        region->base = begin;
        region->length = end - begin;
        i++;
    }
}

static void sort_regions(struct bm_boot_info *info)
{
    for (uint32_t i = 1; i < info->region_count; i++) {
        struct bm_boot_region region = info->regions[i];
        uint32_t at = i;
        for (; at > 0 && info->regions[at - 1].base > region.base; at--)
            info->regions[at] = info->regions[at - 1];
        info->regions[at] = region;
    }
}

// Takes the range of `hole` out of RAM region `index`. A hole in the middle makes two regions of it.
static void cut_region(struct bm_boot_info *info, uint32_t index, struct bm_boot_region hole)
{
    struct bm_boot_region *ram = &info->regions[index];
    uint64_t begin = ram->base, end = begin + ram->length;
    uint64_t hole_end = hole.base + hole.length;
    if (hole.base >= end || hole_end <= begin)
        return;
    uint64_t left = hole.base > begin ? hole.base - begin : 0;
    uint64_t right = hole_end < end ? end - hole_end : 0;
    if (left && right) {
        ram->length = left;
        bm_boot_map_add(info, hole_end, right, BM_BOOT_REGION_RAM);
    } else if (left) {
        ram->length = left;
    } else {
        ram->base = end - right;
        ram->length = right; // 0: removed by the caller
    }
}

// Where the firmware calls the same bytes RAM and something else, they are something else.
static void cut_overlaps(struct bm_boot_info *info)
{
    for (uint32_t h = 0; h < info->region_count; h++) {
        struct bm_boot_region hole = info->regions[h];
        if (hole.type == BM_BOOT_REGION_RAM)
            continue;
        for (uint32_t i = 0; i < info->region_count; i++)
            if (info->regions[i].type == BM_BOOT_REGION_RAM)
                cut_region(info, i, hole);
    }
    for (uint32_t i = 0; i < info->region_count;)
        if (!info->regions[i].length)
            remove_region(info, i);
        else
            i++;
}

// RAM regions that touch or overlap become one. The list is sorted, but other regions may stand between two
// of RAM.
static void merge_ram(struct bm_boot_info *info)
{
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < info->region_count;) {
        struct bm_boot_region *region = &info->regions[i];
        if (region->type != BM_BOOT_REGION_RAM) {
            i++;
            continue;
        }
        struct bm_boot_region *ram = last == UINT32_MAX ? 0 : &info->regions[last];
        if (ram && region->base <= ram->base + ram->length) {
            uint64_t end = region->base + region->length;
            if (end > ram->base + ram->length)
                ram->length = end - ram->base;
            remove_region(info, i);
            continue;
        }
        last = i++;
    }
}

void bm_boot_map_finish(struct bm_boot_info *info)
{
    align_regions(info);
    cut_overlaps(info);
    sort_regions(info);
    merge_ram(info);
}

void bm_boot_command_line_copy(struct bm_boot_info *info, uint64_t physical, uint64_t most)
{
    uint32_t size = 0;
    for (; size < most && size < 16 * BM_BOOT_COMMAND_LINE_MAX; size++) {
        const char *byte = bm_boot_physical(physical + size, 1);
        if (!byte || !*byte)
            break;
        if (size < BM_BOOT_COMMAND_LINE_MAX - 1)
            info->command_line[size] = *byte;
    }
    info->command_line[size < BM_BOOT_COMMAND_LINE_MAX ? size : BM_BOOT_COMMAND_LINE_MAX - 1] = 0;
    info->command_line_size = size;
}
