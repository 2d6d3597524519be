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
    TAGS_MAX = 1024,
    MAP_ENTRY_MIN = 24 // bytes
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

// Section 3.6.12.
struct tag_framebuffer {
    struct tag tag;
    struct bm_boot_framebuffer framebuffer;
};

static void read_module(struct bm_boot_info *info, const struct tag_module *tag)
{
    if (tag->tag.size >= sizeof(*tag) && tag->end > tag->begin && info->module_count < BM_BOOT_MODULES_MAX)
        info->modules[info->module_count++] = (struct bm_boot_module){tag->begin, tag->end - tag->begin};
}

static void read_memory_map(struct bm_boot_info *info, const struct tag_memory_map *tag, uint64_t physical)
{
    if (tag->tag.size >= sizeof(*tag) && tag->entry_size >= MAP_ENTRY_MIN)
        bm_boot_map_read(info, physical + sizeof(*tag),
                         (tag->tag.size - (uint32_t)sizeof(*tag)) / tag->entry_size, tag->entry_size);
}

static void read_framebuffer(struct bm_boot_info *info, const struct tag_framebuffer *tag)
{
    enum { DIRECT_RGB = 1, BYTES = __builtin_offsetof(struct bm_boot_framebuffer, blue_size) + 1 };
    const struct bm_boot_framebuffer *screen = &tag->framebuffer;
    if (tag->tag.size < sizeof(tag->tag) + BYTES || screen->type != DIRECT_RGB || !screen->height ||
        screen->bits_per_pixel < 15 || screen->bits_per_pixel > 32 ||
        screen->pitch < (uint64_t)screen->width * ((screen->bits_per_pixel + 7u) / 8))
        return;
    __builtin_memcpy(&info->framebuffer, screen,
                     BYTES); // what the compiler adds at the end may be beyond the tag
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
        read_memory_map(info, (const void *)tag, physical);
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
