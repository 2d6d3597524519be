// The firmware's memory map: what stands in the way of the image, and the map that the kernel gets.
// SPDX-License-Identifier: MIT
//
// All functions here only read the bytes that they are given, and are tested on the host.
#pragma once

#include "uefi.h"

// A memory map as GetMemoryMap gives it. Entries are `entry_size` bytes apart, which may be more than the
// structure has.
struct bm_efi_map {
    const uint8_t *entries;
    uint64_t size, entry_size; // bytes
};

// A run of pages of one kind. `type` is that of the memory map in Multiboot2, which is ACPI's.
struct bm_efi_region {
    uint64_t base, length;
    uint32_t type;
};

// The word for a memory type in messages: "runtime services data", …
const char *bm_efi_memory_name(uint32_t type);

// True when the kernel may use the memory once boot services have ended.
bool bm_efi_memory_usable(const struct bm_efi_memory_descriptor *entry);

// Bytes of the map that will be usable after boot services.
uint64_t bm_efi_map_usable(const struct bm_efi_map *map);

// True when all of [begin, end) will be usable after boot services. Otherwise *obstacle is the first range in
// the way, cut to [begin, end): of the map, or of type BM_EFI_MEMORY_TYPES where the map says nothing.
bool bm_efi_map_free(const struct bm_efi_map *map, uint64_t begin, uint64_t end,
                     struct bm_efi_memory_descriptor *obstacle);

// Writes the map with neighbours of one kind merged to `regions`; [keep, keep_end) becomes ACPI memory, which
// the kernel does not overwrite. Returns the number of regions; those beyond `max` are left out, and their
// memory is not used.
unsigned bm_efi_map_translate(const struct bm_efi_map *map, uint64_t keep, uint64_t keep_end,
                              struct bm_efi_region *regions, unsigned max);
