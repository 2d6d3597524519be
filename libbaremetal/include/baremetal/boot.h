// The boot contract: what every entry (PVH, Multiboot2, later UEFI and BIOS) tells the kernel.
// SPDX-License-Identifier: MIT
//
// The structure is filled once, before the kernel's own page tables exist, and never changes afterwards.
// Any core and any context may read it.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BM_BOOT_REGIONS_MAX = 128, // entries of the memory map that are kept; more are dropped with a warning
    BM_BOOT_MODULES_MAX = 8,   // modules (initial RAM disks) that are kept
    BM_BOOT_COMMAND_LINE_MAX = 1024 // bytes with the terminating NUL; a longer line is cut with a warning
};

// Type of a memory region: the numbers of ACPI 6.4 section 15 (System Address Map Interfaces).
enum bm_boot_region_type {
    BM_BOOT_REGION_RAM = 1,
    BM_BOOT_REGION_RESERVED = 2,
    BM_BOOT_REGION_ACPI = 3,
    BM_BOOT_REGION_NVS = 4,
    BM_BOOT_REGION_UNUSABLE = 5
};

// A range of physical addresses. Once the kernel runs, all of them are RAM; they are sorted, neither overlap
// nor touch, and start and end on a page.
struct bm_boot_region {
    uint64_t base;     // physical address, bytes
    uint64_t length;   // bytes, never 0
    uint32_t type;     // enum bm_boot_region_type
    uint32_t reserved; // 0
};

// A file that the loader placed in memory.
struct bm_boot_module {
    uint64_t base;   // physical address
    uint64_t length; // bytes
};

// A linear framebuffer of direct colours; width 0 when there is none. In memory as Multiboot2's tag has it.
struct bm_boot_framebuffer {
    uint64_t base;                 // physical address
    uint32_t pitch, width, height; // bytes from line to line; pixels
    uint8_t bits_per_pixel;        // padding included
    uint8_t type;                  // 1
    uint16_t reserved;             // 0
    // Lowest bit and number of bits of each colour.
    uint8_t red_position, red_size, green_position, green_size, blue_position, blue_size;
};

// What a loader has told, whichever it was.
struct bm_boot_info {
    const char *source;         // "pvh", "multiboot2", …: a word for the log
    uint64_t rsdp;              // physical address of the ACPI root (RSDP), 0 when the loader did not say
    uint32_t region_count;      // of regions that are there
    uint32_t module_count;      // of modules that are there
    uint32_t regions_dropped;   // memory map entries beyond BM_BOOT_REGIONS_MAX
    uint32_t command_line_size; // length that the loader offered; more than was kept when the line was cut
    struct bm_boot_framebuffer framebuffer;             // where text and pictures can be shown
    struct bm_boot_module modules[BM_BOOT_MODULES_MAX]; // in the loader's order
    struct bm_boot_region regions[BM_BOOT_REGIONS_MAX]; // the machine's RAM
    char command_line[BM_BOOT_COMMAND_LINE_MAX];        // always terminated
};

// The machine's boot information. Any core, any context; never NULL once the kernel's C code runs.
const struct bm_boot_info *bm_boot_info_get(void);

#ifdef __cplusplus
}
#endif
