// Writes what the kernel is told: the information structure of Multiboot2.
// SPDX-License-Identifier: MIT
//
// Multiboot2 specification 2.0, section 3.6; boot/multiboot2.c reads it. All functions here only touch the
// bytes that they are given, and are tested on the host.
#pragma once

#include "memory.h"

struct bm_information {
    uint8_t *bytes; // aligned to 8
    uint32_t size, max;
    bool full; // something did not fit; the whole must not be used
};

// A framebuffer as the kernel wants it; width 0 when there is none.
struct bm_efi_framebuffer {
    uint64_t base;
    uint32_t pitch, width, height; // pitch in bytes
    uint8_t bits, red_position, red_size, green_position, green_size, blue_position, blue_size;
};

void bm_information_begin(struct bm_information *info, void *bytes, uint32_t max);
void bm_information_command_line(struct bm_information *info, const char *text);
void bm_information_map(struct bm_information *info, const struct bm_efi_region *regions, unsigned count);
void bm_information_framebuffer(struct bm_information *info, const struct bm_efi_framebuffer *screen);
// `rsdp` is ACPI's root pointer, of which `size` bytes are copied: 20 of version 1, 36 of version 2.
void bm_information_acpi(struct bm_information *info, const void *rsdp, uint32_t size);
void bm_information_end(struct bm_information *info);

// The framebuffer of a graphics mode. False when the kernel cannot draw into it.
bool bm_efi_framebuffer_read(struct bm_efi_framebuffer *screen, const struct bm_efi_graphics_mode *mode);
