// Writes the information structure of Multiboot2.
// SPDX-License-Identifier: MIT
#include "information.h"

enum {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_MEMORY_MAP = 6,
    TAG_FRAMEBUFFER = 8,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15,
    ACPI_OLD_SIZE = 20,
    PIXEL_DIRECT = 1
};

struct tag {
    uint32_t type, size;
};

struct region {
    uint64_t base, length;
    uint32_t type, reserved;
};

struct framebuffer {
    uint64_t base;
    uint32_t pitch, width, height;
    uint8_t bits, type;
    uint16_t reserved;
    uint8_t red_position, red_size, green_position, green_size, blue_position, blue_size;
};

static void put(struct bm_information *info, const void *bytes, uint32_t size)
{
    if (size > info->max - info->size) {
        info->full = true;
        return;
    }
    __builtin_memcpy(info->bytes + info->size, bytes, size);
    info->size += size;
}

// The head of a tag with `size` bytes behind it. Tags start at multiples of 8.
static void put_tag(struct bm_information *info, uint32_t type, uint32_t size)
{
    static const uint8_t padding[8];
    put(info, padding, (8 - info->size % 8) % 8);
    struct tag tag = {type, (uint32_t)sizeof(tag) + size};
    put(info, &tag, sizeof(tag));
}

void bm_information_begin(struct bm_information *info, void *bytes, uint32_t max)
{
    *info = (struct bm_information){.bytes = bytes, .max = max};
    put(info, &(uint64_t){0}, 8); // the size of the whole follows at the end
}

void bm_information_command_line(struct bm_information *info, const char *text)
{
    uint32_t size = 1;
    while (text[size - 1])
        size++;
    put_tag(info, TAG_COMMAND_LINE, size);
    put(info, text, size);
}

void bm_information_map(struct bm_information *info, const struct bm_efi_region *regions, unsigned count)
{
    uint32_t head[2] = {sizeof(struct region), 0};
    put_tag(info, TAG_MEMORY_MAP, (uint32_t)(sizeof(head) + count * sizeof(struct region)));
    put(info, head, sizeof(head));
    for (unsigned i = 0; i < count; i++) {
        struct region region = {regions[i].base, regions[i].length, regions[i].type, 0};
        put(info, &region, sizeof(region));
    }
}

void bm_information_framebuffer(struct bm_information *info, const struct bm_efi_framebuffer *screen)
{
    struct framebuffer tag = {.base = screen->base,
                              .pitch = screen->pitch,
                              .width = screen->width,
                              .height = screen->height,
                              .bits = screen->bits,
                              .type = PIXEL_DIRECT,
                              .red_position = screen->red_position,
                              .red_size = screen->red_size,
                              .green_position = screen->green_position,
                              .green_size = screen->green_size,
                              .blue_position = screen->blue_position,
                              .blue_size = screen->blue_size};
    uint32_t size = offsetof(struct framebuffer, blue_size) + 1; // without what the compiler adds at the end
    put_tag(info, TAG_FRAMEBUFFER, size);
    put(info, &tag, size);
}

void bm_information_acpi(struct bm_information *info, const void *rsdp, uint32_t size)
{
    put_tag(info, size > ACPI_OLD_SIZE ? TAG_ACPI_NEW : TAG_ACPI_OLD, size);
    put(info, rsdp, size);
}

void bm_information_end(struct bm_information *info)
{
    put_tag(info, TAG_END, 0);
    __builtin_memcpy(info->bytes, &info->size, sizeof(info->size));
}

// A colour's mask is one run of bits.
static bool read_mask(uint32_t mask, uint8_t *position, uint8_t *size)
{
    if (!mask)
        return false;
    *position = (uint8_t)__builtin_ctz(mask);
    uint32_t run = mask >> *position;
    *size = (uint8_t)(32 - __builtin_clz(run));
    return (run & (run + 1ull)) == 0;
}

bool bm_efi_framebuffer_read(struct bm_efi_framebuffer *screen, const struct bm_efi_graphics_mode *mode)
{
    const struct bm_efi_graphics_information *info = mode->information;
    uint32_t red = 0xff, green = 0xff00, blue = 0xff0000, reserved = 0xff000000;
    if (info->pixel_format == BM_EFI_PIXEL_BGR) {
        red = 0xff0000;
        blue = 0xff;
    } else if (info->pixel_format == BM_EFI_PIXEL_BITMASK) {
        red = info->red_mask;
        green = info->green_mask;
        blue = info->blue_mask;
        reserved = info->reserved_mask;
    } else if (info->pixel_format != BM_EFI_PIXEL_RGB) {
        return false; // no memory to draw into
    }
    uint32_t all = red | green | blue | reserved;
    if (!all || red & green || green & blue || red & blue)
        return false;
    uint32_t bytes = (39 - (uint32_t)__builtin_clz(all)) / 8;
    uint64_t pitch = (uint64_t)info->pixels_per_line * bytes;
    *screen = (struct bm_efi_framebuffer){.base = mode->framebuffer,
                                          .pitch = (uint32_t)pitch,
                                          .width = info->width,
                                          .height = info->height,
                                          .bits = (uint8_t)(bytes * 8)};
    return mode->framebuffer && info->width && info->height && info->pixels_per_line >= info->width &&
           pitch <= UINT32_MAX && pitch * info->height <= mode->framebuffer_size && bytes >= 2 &&
           read_mask(red, &screen->red_position, &screen->red_size) &&
           read_mask(green, &screen->green_position, &screen->green_size) &&
           read_mask(blue, &screen->blue_position, &screen->blue_size);
}
