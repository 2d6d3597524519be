// The firmware's memory map and command line, brought into the form that struct bm_boot_info promises.
// SPDX-License-Identifier: MIT
#include "protocol.h"

#define PAGE    4096ull
#define NOWHERE UINT64_MAX
enum { DROPPED_MAX = 4096 };
#define BEYOND (1ull << 62) // no machine has memory there, and sums of two addresses below it do not wrap

void bm_boot_map_add(struct bm_boot_info *info, uint64_t base, uint64_t length, uint32_t type)
{
    if (!length || base + length < base || base >= BEYOND)
        return;
    if (length > BEYOND - base)
        length = BEYOND - base;
    if (info->region_count == BM_BOOT_REGIONS_MAX) {
        info->regions_dropped++;
        return;
    }
    info->regions[info->region_count++] = (struct bm_boot_region){base, length, type, 0};
}

// A map that is too long for us may claim to be endless.
void bm_boot_map_read(struct bm_boot_info *info, uint64_t physical, uint32_t count, uint32_t size)
{
    for (; count && info->regions_dropped < DROPPED_MAX; count--, physical += size) {
        const struct __attribute__((packed)) {
            uint64_t base, length;
            uint32_t type;
        } *entry = bm_boot_physical(physical, sizeof(*entry));
        if (!entry)
            break;
        bm_boot_map_add(info, entry->base, entry->length, entry->type);
    }
}

// Whole pages: RAM shrinks to those it covers fully, everything else grows to those it touches.
static void align_regions(struct bm_boot_info *info)
{
    for (uint32_t i = 0; i < info->region_count; i++) {
        struct bm_boot_region *region = &info->regions[i];
        bool ram = region->type == BM_BOOT_REGION_RAM;
        uint64_t end = region->base + region->length;
        region->base = (region->base + (ram ? PAGE - 1 : 0)) & ~(PAGE - 1);
        end = (end + (ram ? 0 : PAGE - 1)) & ~(PAGE - 1);
        region->length = end > region->base ? end - region->base : 0;
    }
}

// The first byte of RAM from `at` on, whatever else is said about it; NOWHERE when there is none.
static uint64_t ram_from(const struct bm_boot_info *info, uint64_t at)
{
    uint64_t first = NOWHERE;
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct bm_boot_region *region = &info->regions[i];
        uint64_t begin = region->base > at ? region->base : at;
        if (region->type == BM_BOOT_REGION_RAM && begin < region->base + region->length && begin < first)
            first = begin;
    }
    return first;
}

// Where what is said of `at` changes: the end of all regions of that kind (RAM or not) that follow on each
// other there.
static uint64_t run_end(const struct bm_boot_info *info, uint64_t at, bool ram)
{
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct bm_boot_region *region = &info->regions[i];
        if ((region->type == BM_BOOT_REGION_RAM) != ram || region->base > at ||
            region->base + region->length <= at)
            continue;
        at = region->base + region->length;
        i = UINT32_MAX; // look at all again
    }
    return at;
}

// From `at` to `end`: how far nothing is said but RAM.
static uint64_t until_hole(const struct bm_boot_info *info, uint64_t at, uint64_t end)
{
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct bm_boot_region *region = &info->regions[i];
        if (region->type != BM_BOOT_REGION_RAM && region->base >= at && region->base < end)
            end = region->base;
    }
    return end;
}

// Where the firmware calls the same bytes RAM and something else, they are something else.
void bm_boot_map_finish(struct bm_boot_info *info)
{
    static struct bm_boot_region ram[BM_BOOT_REGIONS_MAX];
    uint32_t count = 0;
    align_regions(info);
    for (uint64_t at = 0; (at = ram_from(info, at)) != NOWHERE;) {
        uint64_t begin = run_end(info, at, false), end = until_hole(info, begin, run_end(info, begin, true));
        at = end;
        if (begin == end)
            continue;
        if (count == BM_BOOT_REGIONS_MAX) {
            info->regions_dropped++;
            break;
        }
        ram[count++] = (struct bm_boot_region){begin, end - begin, BM_BOOT_REGION_RAM, 0};
    }
    info->region_count = count;
    __builtin_memcpy(info->regions, ram, sizeof ram);
}

void bm_boot_command_line_copy(struct bm_boot_info *info, uint64_t physical, uint64_t max)
{
    uint32_t size = 0;
    for (; size < max && size < 16 * BM_BOOT_COMMAND_LINE_MAX; size++) {
        const char *byte = bm_boot_physical(physical + size, 1);
        if (!byte || !*byte)
            break;
        if (size < BM_BOOT_COMMAND_LINE_MAX - 1)
            info->command_line[size] = *byte;
    }
    info->command_line[size < BM_BOOT_COMMAND_LINE_MAX ? size : BM_BOOT_COMMAND_LINE_MAX - 1] = 0;
    info->command_line_size = size;
}
