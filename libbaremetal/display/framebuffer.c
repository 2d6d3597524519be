// The list of frame buffers, and what is drawn into all of them alike.
// SPDX-License-Identifier: MIT
#include <baremetal/framebuffer.h>

#include "display.h"

#include <baremetal/error.h>
#include <baremetal/log.h>

static struct bm_framebuffer *list;

static bool fits(const struct bm_framebuffer *framebuffer, struct bm_framebuffer_colour colour)
{
    return colour.size >= 1 && colour.size <= 16 &&
           colour.position + colour.size <= framebuffer->pixel_size * 8;
}

static bool is_sound(const struct bm_framebuffer *it)
{
    bool sized = it->width >= 1 && it->width <= BM_FRAMEBUFFER_SIDE_MAX && it->height >= 1 &&
                 it->height <= BM_FRAMEBUFFER_SIDE_MAX;
    bool pixels = it->pixel_size >= 2 && it->pixel_size <= 4 && it->pitch >= it->width * it->pixel_size;
    return it->bytes && sized && pixels && fits(it, it->red) && fits(it, it->green) && fits(it, it->blue);
}

int bm_framebuffer_add(struct bm_framebuffer *framebuffer)
{
    if (!is_sound(framebuffer))
        return -BM_EINVAL;
    struct bm_framebuffer **link = &list;
    while (*link)
        link = &(*link)->next;
    framebuffer->next = NULL;
    *link = framebuffer;
    bm_log_info(framebuffer->name, "screen of %u by %u pixels, %u bits each", (unsigned)framebuffer->width,
                (unsigned)framebuffer->height, framebuffer->pixel_size * 8u);
    if (bm_screen_console_begin && framebuffer == list)
        bm_screen_console_begin(framebuffer);
    return 0;
}

struct bm_framebuffer *bm_framebuffer_first(void)
{
    return list;
}

// The upper bits of a value, or the value and zeros below it, at the colour's place.
static uint32_t place(unsigned value, struct bm_framebuffer_colour colour)
{
    uint32_t kept = colour.size < 8 ? (value & 255) >> (8 - colour.size) : (value & 255) << (colour.size - 8);
    return kept << colour.position;
}

uint32_t bm_framebuffer_pixel(const struct bm_framebuffer *framebuffer, unsigned red, unsigned green,
                              unsigned blue)
{
    return place(red, framebuffer->red) | place(green, framebuffer->green) | place(blue, framebuffer->blue);
}

static void line_fill(volatile uint8_t *to, unsigned size, uint32_t count, uint32_t pixel)
{
    if (size == 4 && (uintptr_t)to % 4 == 0) {
        for (volatile uint32_t *at = (volatile uint32_t *)to; count; count--)
            *at++ = pixel;
        return;
    }
    for (; count; count--)
        for (unsigned i = 0; i < size; i++)
            *to++ = (uint8_t)(pixel >> 8 * i);
}

void bm_framebuffer_fill(const struct bm_framebuffer *it, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height, uint32_t pixel)
{
    if (x >= it->width || y >= it->height)
        return;
    if (width > it->width - x)
        width = it->width - x;
    if (height > it->height - y)
        height = it->height - y;
    volatile uint8_t *line = it->bytes + (size_t)y * it->pitch + (size_t)x * it->pixel_size;
    for (; height; height--, line += it->pitch)
        line_fill(line, it->pixel_size, width, pixel);
}

void bm_framebuffer_set(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t pixel)
{
    bm_framebuffer_fill(framebuffer, x, y, 1, 1, pixel);
}

void bm_framebuffer_show(const struct bm_framebuffer *it, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height)
{
    if (!it->show || x >= it->width || y >= it->height || !width || !height)
        return;
    if (width > it->width - x)
        width = it->width - x;
    if (height > it->height - y)
        height = it->height - y;
    it->show(it, x, y, width, height);
}
