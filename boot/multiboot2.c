// Reads the boot information of Multiboot2: GRUB and others.
// SPDX-License-Identifier: MIT
//
// Multiboot2 specification 2.0, section 3.6 (boot information format).
#include "protocol.h"

enum {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_FRAMEBUFFER = 8,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15,
    INFORMATION_MAX = 1 << 20, // bytes; GRUB writes some kilobytes
    TAGS_MAX = 1024
};

struct tag {
    uint32_t type, size;
};

struct tag_module {
    struct tag tag;
    uint32_t begin, end;
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

struct memory_map_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};

struct tag_framebuffer {
    struct tag tag;
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits_per_pixel, type;
    uint16_t reserved;
    uint8_t red_position, red_size, green_position, green_size, blue_position, blue_size;
};

static void read_module(struct bm_boot_info *info, const struct tag_module *tag)
{
    if (tag->tag.size >= sizeof(*tag) && tag->end > tag->begin && info->module_count < BM_BOOT_MODULES_MAX)
        info->modules[info->module_count++] = (struct bm_boot_module){tag->begin, tag->end - tag->begin};
}

static void read_memory_map(struct bm_boot_info *info, const struct tag_memory_map *tag)
{
    if (tag->tag.size < sizeof(*tag) || tag->entry_size < sizeof(struct memory_map_entry))
        return;
    const char *entry = (const char *)(tag + 1);
    const char *end = (const char *)tag + tag->tag.size;
    for (; (uint64_t)(end - entry) >= tag->entry_size; entry += tag->entry_size) {
        struct memory_map_entry region;
        __builtin_memcpy(&region, entry, sizeof(region));
        bm_boot_map_add(info, region.base, region.length, region.type);
    }
}

static void read_framebuffer(struct bm_boot_info *info, const struct tag_framebuffer *tag)
{
    if (tag->tag.size < __builtin_offsetof(struct tag_framebuffer, blue_size) + 1 ||
        tag->type != 1 /* direct RGB */ || !tag->width || !tag->height)
        return;
    if (tag->bits_per_pixel < 15 || tag->bits_per_pixel > 32 ||
        tag->pitch < (uint64_t)tag->width * ((tag->bits_per_pixel + 7u) / 8))
        return;
    info->framebuffer = (struct bm_boot_framebuffer){.base = tag->address,
                                                     .pitch = tag->pitch,
                                                     .width = tag->width,
                                                     .height = tag->height,
                                                     .bits_per_pixel = tag->bits_per_pixel,
                                                     .red_position = tag->red_position,
                                                     .red_size = tag->red_size,
                                                     .green_position = tag->green_position,
                                                     .green_size = tag->green_size,
                                                     .blue_position = tag->blue_position,
                                                     .blue_size = tag->blue_size};
}

static void read_tag(struct bm_boot_info *info, const struct tag *tag, uint64_t physical)
{
    switch (tag->type) {
    case TAG_COMMAND_LINE:
        bm_boot_command_line_copy(info, physical + sizeof(*tag), tag->size - sizeof(*tag));
        break;
    case TAG_MODULE:
        read_module(info, (const void *)tag);
        break;
    case TAG_MEMORY_MAP:
        read_memory_map(info, (const void *)tag);
        break;
    case TAG_FRAMEBUFFER:
        read_framebuffer(info, (const void *)tag);
        break;
    case TAG_ACPI_OLD: // a copy of the RSDP stands in the tag; the newer revision wins
        if (!info->rsdp)
            info->rsdp = physical + sizeof(*tag);
        break;
    case TAG_ACPI_NEW:
        info->rsdp = physical + sizeof(*tag);
        break;
    }
}

bool bm_boot_read_multiboot2(struct bm_boot_info *info, uint64_t information)
{
    const uint32_t *total = bm_boot_physical(information, 8);
    if (information % 8 || !total || *total < 8 || *total > INFORMATION_MAX)
        return false;
    const char *bytes = bm_boot_physical(information, *total);
    if (!bytes)
        return false;
    uint32_t size = *total, offset = 8;
    for (unsigned i = 0; i < TAGS_MAX && size - offset >= sizeof(struct tag); i++) {
        const struct tag *tag = (const void *)(bytes + offset);
        if (tag->type == TAG_END || tag->size < sizeof(*tag) || tag->size > size - offset)
            break;
        read_tag(info, tag, information + offset);
        uint32_t step = (tag->size + 7) & ~7u;
        if (step > size - offset)
            break;
        offset += step;
    }
    return true;
}
