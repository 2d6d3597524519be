// The screen that the loader has set up, pixel by pixel.
// SPDX-License-Identifier: MIT
#include "screen.h"

#include <stdbool.h>

#include <baremetal/memory.h>

enum { SIDE_MAX = 16384, PITCH_MAX = 1 << 20 };

static bool overlaps_memory(const struct bm_boot_info *info, uint64_t base, uint64_t length)
{
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct bm_boot_region *region = &info->regions[i];
        if (region->type == BM_BOOT_REGION_RAM && base < region->base + region->length &&
            region->base < base + length)
            return true;
    }
    return false;
}

// A colour's bits lie within the pixel; 1 to 16 of them.
static bool fits(const struct bm_boot_framebuffer *form, unsigned position, unsigned size)
{
    return size >= 1 && size <= 16 && position + size <= form->bits_per_pixel;
}

// The values come from firmware and loader, which may be wrong: a picture in the wrong place would overwrite
// what belongs to others.
static const char *check(const struct bm_boot_info *info)
{
    const struct bm_boot_framebuffer *form = &info->framebuffer;
    if (!form->width || !form->height)
        return "there is none";
    if (form->width > SIDE_MAX || form->height > SIDE_MAX)
        return "it is too large";
    if (form->bits_per_pixel != 16 && form->bits_per_pixel != 24 && form->bits_per_pixel != 32)
        return "a pixel has neither 16 nor 24 nor 32 bits";
    if (form->pitch < form->width * (form->bits_per_pixel / 8u) || form->pitch > PITCH_MAX)
        return "the length of its rows is wrong";
    if (!fits(form, form->red_position, form->red_size) ||
        !fits(form, form->green_position, form->green_size) ||
        !fits(form, form->blue_position, form->blue_size))
        return "its colours lie outside of the pixels";
    const uint64_t length = (uint64_t)form->pitch * form->height;
    if (!form->base || form->base >> 52 || overlaps_memory(info, form->base, length))
        return "its address is wrong";
    return NULL;
}

const char *screen_open(struct screen *screen, const struct bm_boot_info *info)
{
    const struct bm_boot_framebuffer *form = &info->framebuffer;
    const char *problem = check(info);
    if (problem)
        return problem;
    *screen = (struct screen){
        .width = form->width,
        .height = form->height,
        .memory = bm_memory_map_device(form->base, (size_t)form->pitch * form->height,
                                       BM_MEMORY_WRITE | BM_MEMORY_WRITE_COMBINING),
        .pitch = form->pitch,
        .bytes = form->bits_per_pixel / 8,
        .form = *form,
    };
    return screen->memory ? NULL : "no memory is left for the tables that map it";
}

// The upper bits of an 8-bit value, or the value and zeros below it, at the colour's place.
static uint32_t place(unsigned value, unsigned position, unsigned size)
{
    return (size < 8 ? value >> (8 - size) : (uint32_t)value << (size - 8)) << position;
}

void screen_set(const struct screen *screen, size_t x, size_t y, unsigned red, unsigned green, unsigned blue)
{
    const struct bm_boot_framebuffer *form = &screen->form;
    const uint32_t pixel = place(red, form->red_position, form->red_size) |
                           place(green, form->green_position, form->green_size) |
                           place(blue, form->blue_position, form->blue_size);
    volatile unsigned char *to = screen->memory + y * screen->pitch + x * screen->bytes;
    if (screen->bytes == 4 && (uintptr_t)to % 4 == 0)
        *(volatile uint32_t *)to = pixel;
    else
        for (size_t i = 0; i < screen->bytes; i++)
            to[i] = (unsigned char)(pixel >> 8 * i);
}
