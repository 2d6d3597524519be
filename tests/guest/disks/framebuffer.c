// What the loader said about the screen, for disk_video.py.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @script disk_video.py
#include "check.h"

#include <baremetal/boot.h>
#include <stdio.h>

int main(void)
{
    const struct bm_boot_framebuffer *screen = &bm_boot_info_get()->framebuffer;
    printf("framebuffer: %ux%u, %u bits, pitch %u, at 0x%llx\n", (unsigned)screen->width,
           (unsigned)screen->height, (unsigned)screen->bits_per_pixel, (unsigned)screen->pitch,
           (unsigned long long)screen->base);
    printf("colours: red %u at %u, green %u at %u, blue %u at %u\n", screen->red_size, screen->red_position,
           screen->green_size, screen->green_position, screen->blue_size, screen->blue_position);
    printf("line: %s\n", bm_boot_info_get()->command_line);
    printf("PASS\n");
    return 0;
}
