// What the entries hand to the common boot code.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/boot.h>
#include <stdbool.h>
#include <stdint.h>

// First argument of bm_boot_early: the register that tells the loaders apart.
enum { BM_BOOT_PVH = 0, BM_BOOT_LINUX = 1, BM_BOOT_MULTIBOOT2 = 0x36d76289 };

// Where the identity map of early boot ends.
#define BM_BOOT_REACH (1ull << 32)

// Bytes at a physical address, or NULL when they are not within reach. In the kernel: the identity map of the
// first 4 GiB; host tests bring their own.
const void *bm_boot_physical(uint64_t physical, uint64_t length);

// Fill *info (zeroed by the caller) from a loader's information, which is checked and copied. Return false
// when it is no such information at all; what is merely odd in it is left out.
bool bm_boot_read_pvh(struct bm_boot_info *info, uint64_t start_info);
bool bm_boot_read_linux(struct bm_boot_info *info, uint64_t parameters);
bool bm_boot_read_multiboot2(struct bm_boot_info *info, uint64_t information);

// Adds a memory map entry as the firmware gave it; counts what does not fit.
void bm_boot_map_add(struct bm_boot_info *info, uint64_t base, uint64_t length, uint32_t type);

// Adds the `count` entries of `size` bytes (20 at least) that stand at a physical address, each of which
// begins with base, length and type; those out of reach end it.
void bm_boot_map_read(struct bm_boot_info *info, uint64_t physical, uint32_t count, uint32_t size);

// Makes the map what bm_boot_info promises: RAM in whole pages, sorted, merged, and free of everything else
// that was said about the same addresses.
void bm_boot_map_finish(struct bm_boot_info *info);

// Copies a command line of unknown length.
void bm_boot_command_line_copy(struct bm_boot_info *info, uint64_t physical, uint64_t max);
