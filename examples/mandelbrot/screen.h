// The screen that the loader has set up, pixel by pixel.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <baremetal/boot.h>

struct screen {
    size_t width, height;
    // The rest is screen.c's.
    volatile unsigned char *memory;
    size_t pitch, bytes; // of a row, of a pixel
    struct bm_boot_framebuffer form;
};

// Maps the screen of the boot information. Returns NULL, or why it cannot be used; a machine without a screen
// is the answer "there is none".
const char *screen_open(struct screen *screen, const struct bm_boot_info *info);

// Sets one pixel; red, green and blue are 0 to 255. Any core; x and y must lie on the screen.
void screen_set(const struct screen *screen, size_t x, size_t y, unsigned red, unsigned green, unsigned blue);
