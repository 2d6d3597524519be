// The screen that the loader or the firmware has set up: UEFI's graphics output, VESA's modes, Multiboot2.
// SPDX-License-Identifier: MIT
//
// Shown by: UEFI images as they are; disks made with VIDEO (docs/images.md); GRUB with a graphics mode
#include <baremetal/boot.h>
#include <baremetal/device.h>
#include <baremetal/framebuffer.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <stddef.h>

enum { PITCH_MAX = 1 << 20, DIRECT_COLOURS = 1 };

static struct bm_framebuffer framebuffer = {.name = "boot_framebuffer"};

// The values come from firmware and loader, which may be wrong: pictures in the wrong place would overwrite
// what belongs to others. The rest is checked by bm_framebuffer_add.
static const char *check(const struct bm_boot_framebuffer *form)
{
    uint64_t length = (uint64_t)form->pitch * form->height;
    if (form->type != DIRECT_COLOURS)
        return "its colours are a palette's";
    if (form->width > BM_FRAMEBUFFER_SIDE_MAX || form->height > BM_FRAMEBUFFER_SIDE_MAX)
        return "it is too large";
    if (form->bits_per_pixel != 16 && form->bits_per_pixel != 24 && form->bits_per_pixel != 32)
        return "a pixel has neither 16 nor 24 nor 32 bits";
    if (form->pitch > PITCH_MAX || form->pitch < form->width * (form->bits_per_pixel / 8u))
        return "the length of its lines is wrong";
    if (!form->base || form->base >> 52 || bm_device_is_ram(form->base, length))
        return "its address is wrong";
    return NULL;
}

static int boot_framebuffer_attach(struct bm_device *machine)
{
    (void)machine;
    const struct bm_boot_framebuffer *form = &bm_boot_info_get()->framebuffer;
    if (!form->width || !form->height)
        return 0;
    const char *problem = check(form);
    if (!problem) {
        framebuffer.bytes = bm_memory_map_device(form->base, (size_t)form->pitch * form->height,
                                                 BM_MEMORY_WRITE | BM_MEMORY_WRITE_COMBINING);
        framebuffer.physical = form->base;
        framebuffer.width = form->width;
        framebuffer.height = form->height;
        framebuffer.pitch = form->pitch;
        framebuffer.pixel_size = form->bits_per_pixel / 8;
        framebuffer.red = (struct bm_framebuffer_colour){form->red_position, form->red_size};
        framebuffer.green = (struct bm_framebuffer_colour){form->green_position, form->green_size};
        framebuffer.blue = (struct bm_framebuffer_colour){form->blue_position, form->blue_size};
        problem = bm_framebuffer_add(&framebuffer)
                      ? "it cannot be mapped, or its colours lie outside of the pixels"
                      : NULL;
    }
    if (problem)
        bm_log_error("boot_framebuffer", "the screen that the loader tells of is not used: %s", problem);
    return 0;
}

static const struct bm_device_id boot_framebuffer_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

BM_DRIVER(boot_framebuffer) = {
    .name = "boot_framebuffer", .ids = boot_framebuffer_ids, .attach = boot_framebuffer_attach};
