// Translates the firmware's memory map.
// SPDX-License-Identifier: MIT
//
// UEFI specification 2.10, tables 7.5 to 7.10 (memory types and attributes); ACPI 6.4, table 15.7 (UEFI types
// and address range types).
#include "memory.h"

enum { RAM = 1, RESERVED = 2, ACPI = 3, NVS = 4, UNUSABLE = 5, PERSISTENT = 7 };

const char *bm_efi_memory_name(uint32_t type)
{
    switch (type) {
    case BM_EFI_RESERVED:
        return "reserved memory";
    case BM_EFI_LOADER_CODE:
    case BM_EFI_LOADER_DATA:
        return "a loader's memory";
    case BM_EFI_BOOT_CODE:
    case BM_EFI_BOOT_DATA:
        return "boot services memory";
    case BM_EFI_RUNTIME_CODE:
        return "runtime services code";
    case BM_EFI_RUNTIME_DATA:
        return "runtime services data";
    case BM_EFI_CONVENTIONAL:
        return "free memory";
    case BM_EFI_UNUSABLE:
        return "unusable memory";
    case BM_EFI_ACPI_RECLAIM:
        return "ACPI tables";
    case BM_EFI_ACPI_NVS:
        return "ACPI non-volatile memory";
    case BM_EFI_MMIO:
    case BM_EFI_MMIO_PORTS:
        return "memory-mapped devices";
    case BM_EFI_PAL_CODE:
        return "processor firmware";
    case BM_EFI_PERSISTENT:
        return "persistent memory";
    case BM_EFI_UNACCEPTED:
        return "unaccepted memory";
    case BM_EFI_MEMORY_TYPES:
        return "no memory at all";
    default:
        return "memory of an unknown type";
    }
}

bool bm_efi_memory_usable(const struct bm_efi_memory_descriptor *entry)
{
    bool ram = entry->type == BM_EFI_CONVENTIONAL || entry->type == BM_EFI_LOADER_CODE ||
               entry->type == BM_EFI_LOADER_DATA || entry->type == BM_EFI_BOOT_CODE ||
               entry->type == BM_EFI_BOOT_DATA;
    return ram && entry->attributes & BM_EFI_MEMORY_WRITE_BACK &&
           !(entry->attributes & BM_EFI_MEMORY_SPECIFIC_PURPOSE);
}

static uint32_t translate(const struct bm_efi_memory_descriptor *entry)
{
    if (bm_efi_memory_usable(entry))
        return RAM;
    switch (entry->type) {
    case BM_EFI_ACPI_RECLAIM:
        return ACPI;
    case BM_EFI_ACPI_NVS:
        return NVS;
    case BM_EFI_UNUSABLE:
        return UNUSABLE;
    case BM_EFI_PERSISTENT:
        return PERSISTENT;
    default: // runtime services keep their memory; what is new and unknown is left alone
        return RESERVED;
    }
}

// Entry `index` of the map; false behind the last. Ranges that reach beyond the address space are cut.
static bool map_entry(const struct bm_efi_map *map, uint64_t index, struct bm_efi_memory_descriptor *entry)
{
    if (map->entry_size < sizeof(*entry) || index >= map->size / map->entry_size)
        return false;
    __builtin_memcpy(entry, map->entries + index * map->entry_size, sizeof(*entry));
    entry->physical &= ~(uint64_t)(BM_EFI_PAGE - 1);
    uint64_t max = (0 - entry->physical) / BM_EFI_PAGE - (entry->physical != 0);
    if (entry->physical == 0)
        max = UINT64_MAX / BM_EFI_PAGE;
    if (entry->pages > max)
        entry->pages = max;
    return true;
}

static uint64_t entry_end(const struct bm_efi_memory_descriptor *entry)
{
    return entry->physical + entry->pages * BM_EFI_PAGE;
}

uint64_t bm_efi_map_usable(const struct bm_efi_map *map)
{
    struct bm_efi_memory_descriptor entry;
    uint64_t bytes = 0;
    for (uint64_t i = 0; map_entry(map, i, &entry); i++)
        bytes += bm_efi_memory_usable(&entry) ? entry.pages * BM_EFI_PAGE : 0;
    return bytes;
}

// What the map says of the page at `address`, and up to where: an entry's rest, or the gap up to the next
// entry with the type BM_EFI_MEMORY_TYPES. Of entries that overlap, one that forbids the page's use is taken.
static struct bm_efi_memory_descriptor map_find(const struct bm_efi_map *map, uint64_t address)
{
    struct bm_efi_memory_descriptor entry, found = {.type = BM_EFI_MEMORY_TYPES, .physical = address};
    uint64_t next = UINT64_MAX & ~(uint64_t)(BM_EFI_PAGE - 1);
    for (uint64_t i = 0; map_entry(map, i, &entry); i++) {
        if (entry.physical <= address && address < entry_end(&entry) &&
            (found.type == BM_EFI_MEMORY_TYPES || !bm_efi_memory_usable(&entry)))
            found = entry;
        if (entry.physical > address && entry.pages && entry.physical < next)
            next = entry.physical;
    }
    uint64_t end = found.type == BM_EFI_MEMORY_TYPES || next < entry_end(&found) ? next : entry_end(&found);
    found.physical = address;
    found.pages = (end - address) / BM_EFI_PAGE;
    return found;
}

bool bm_efi_map_free(const struct bm_efi_map *map, uint64_t begin, uint64_t end,
                     struct bm_efi_memory_descriptor *obstacle)
{
    for (uint64_t at = begin; at < end; at = entry_end(obstacle)) {
        *obstacle = map_find(map, at);
        if (!bm_efi_memory_usable(obstacle)) {
            if (entry_end(obstacle) > end)
                obstacle->pages = (end - at) / BM_EFI_PAGE;
            return false;
        }
    }
    return true;
}

// Appends a region, or lengthens the last one.
static void put(struct bm_efi_region *regions, unsigned *count, unsigned max, uint64_t begin, uint64_t end,
                uint32_t type)
{
    if (begin >= end)
        return;
    struct bm_efi_region *last = *count ? &regions[*count - 1] : NULL;
    if (last && last->type == type && last->base + last->length == begin)
        last->length = end - last->base;
    else if (*count < max)
        regions[(*count)++] = (struct bm_efi_region){begin, end - begin, type};
}

unsigned bm_efi_map_translate(const struct bm_efi_map *map, uint64_t keep, uint64_t keep_end,
                              struct bm_efi_region *regions, unsigned max)
{
    struct bm_efi_memory_descriptor entry;
    unsigned count = 0;
    for (uint64_t i = 0; map_entry(map, i, &entry); i++) {
        uint64_t begin = entry.physical, end = entry_end(&entry);
        uint32_t type = translate(&entry);
        if (type == RAM && begin < keep_end && end > keep) {
            put(regions, &count, max, begin, keep, RAM);
            put(regions, &count, max, begin > keep ? begin : keep, end < keep_end ? end : keep_end, ACPI);
            begin = keep_end;
        }
        put(regions, &count, max, begin, end, type);
    }
    return count;
}
