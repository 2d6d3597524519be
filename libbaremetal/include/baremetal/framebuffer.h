// Frame buffers: memory whose pixels a screen shows.
// SPDX-License-Identifier: MIT
//
// Drivers add them at boot (CMake targets baremetal::boot_framebuffer, baremetal::bochs_display,
// baremetal::virtio_gpu). A program draws into one itself, or has the console shown there
// (baremetal::screen_console); not both at once. Some screens show what is in memory by themselves, others
// are told: who has drawn calls bm_framebuffer_show.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BM_FRAMEBUFFER_SIDE_MAX = 16384 }; // pixels

// The place of a colour in a pixel.
struct bm_framebuffer_colour {
    uint8_t position; // its lowest bit
    uint8_t size;     // bits, 1 to 16
};

// A frame buffer. Its driver keeps the structure for ever.
struct bm_framebuffer {
    const char *name;                              // the driver's
    uint64_t physical;                             // address of its first byte
    volatile uint8_t *bytes;                       // the same, mapped: written in any order, and slow to read
    uint32_t width, height;                        // pixels; 1 to BM_FRAMEBUFFER_SIDE_MAX each
    uint32_t pitch;                                // bytes from line to line, at least width * pixel_size
    uint8_t pixel_size;                            // bytes: 2, 3 or 4, the lowest first
    struct bm_framebuffer_colour red, green, blue; // where they are in a pixel
    // Shows a rectangle that lies on the screen; NULL: what is in memory is shown anyway. For
    // bm_framebuffer_show.
    void (*show)(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t width,
                 uint32_t height);
    struct bm_framebuffer *next; // the list's
};

// Adds one that a driver has set up, cleared or not. Returns 0, or -BM_EINVAL when a member is not as it must
// be. Core 0, at boot.
int bm_framebuffer_add(struct bm_framebuffer *framebuffer);

// The frame buffers in the order in which they were found; NULL: there is none. Any core.
struct bm_framebuffer *bm_framebuffer_first(void);

// The pixel of a colour: `red`, `green` and `blue` are 0 to 255 each. Any context.
uint32_t bm_framebuffer_pixel(const struct bm_framebuffer *framebuffer, unsigned red, unsigned green,
                              unsigned blue);

// Fills the rectangle of `width` by `height` pixels at `x` from the left and `y` from the top with pixels of
// the value `pixel`; what lies outside of the screen is left out. Any core.
void bm_framebuffer_fill(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height, uint32_t pixel);

// Sets the pixel at `x` from the left and `y` from the top; one outside of the screen is left out. Any core.
void bm_framebuffer_set(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t pixel);

// Shows what was drawn into the rectangle of `width` by `height` pixels at `x` from the left and `y` from the
// top; what lies outside of the screen is left out. The screen follows a moment later, together with what was
// drawn meanwhile; not each picture between need be seen. Any core, any context.
void bm_framebuffer_show(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height);

#ifdef __cplusplus
}
#endif
