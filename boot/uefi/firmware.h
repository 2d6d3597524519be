// The firmware as the loader uses it: sentences for people, memory, files.
// SPDX-License-Identifier: MIT
#pragma once

#include "memory.h"
#include "text.h"

extern struct bm_efi_system_table *bm_efi_system;
extern struct bm_efi_boot_services *bm_efi_boot;

// Notes the system table, ends the watchdog, and finds out whether the firmware's console goes to the serial
// line.
void bm_efi_start(struct bm_efi_system_table *system);

// Whether the firmware starts signed files only (UEFI 2.10 section 3.3: the variable SecureBoot).
bool bm_efi_secure_boot(void);

// Prints one line on the firmware's console, and on the serial line where the console does not go there.
void bm_efi_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

// One of the two alone, the text as it is.
void bm_efi_print_serial(const char *text);
void bm_efi_print_console(const char *text);

// Gives people the time to read: waits for a key, or some seconds.
void bm_efi_pause(void);

// Pages of `type`; address 0 when there are none. `max` is the highest address.
uint64_t bm_efi_pages(enum bm_efi_memory_type type, uint64_t bytes, uint64_t max);

// The memory map in pages of its own, with room to grow. The key is that of the map.
bm_efi_status bm_efi_map_get(struct bm_efi_map *map, uint64_t *key);

// Reads the file at `path` from the volume of `device`: at most `max` bytes. Returns the number of bytes, or
// -1 when there is no such file or volume.
int64_t bm_efi_file_get(bm_efi_handle device, const bm_efi_char *path, void *bytes, uint64_t max);
