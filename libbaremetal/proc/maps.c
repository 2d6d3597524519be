// What is mapped: the image, main's stack, and what the program has mapped itself.
// SPDX-License-Identifier: MIT
#include "../base/early.h"
#include "../linux/linux.h"
#include "../space/space.h"
#include "proc.h"

#include <baremetal/inode.h>
#include <baremetal/memory.h>
#include <baremetal/mount.h>

// Of the image (boot/image.ld).
extern const char bm_image_begin[], bm_constants_begin[], bm_relro_begin[], bm_data_begin[], bm_image_end[];

struct proc_image bm_proc_image_get(void)
{
    return (struct proc_image){.text = (uint64_t)bm_image_begin,
                               .constants = (uint64_t)bm_constants_begin,
                               .data = (uint64_t)bm_data_begin,
                               .end = (uint64_t)bm_image_end,
                               .stack = bm_boot_early_state.stack_bottom,
                               .stack_end = bm_boot_early_state.stack_top};
}

enum { NAME_COLUMN = 73 }; // as on Linux

struct line {
    uint64_t begin, end;
    char access[5];
    const char *name;
    uint64_t offset, number, device; // of a file
};

static void put_line(struct proc_text *text, const struct line *line)
{
    size_t before = text->size;
    bm_proc_put(text, "%08lx-%08lx %s %08lx %02x:%02x %lu ", line->begin, line->end, line->access,
                line->offset, (unsigned)(line->device >> 8 & 0xfff), (unsigned)(line->device & 0xff),
                line->number);
    while (*line->name && text->size - before < NAME_COLUMN && !text->failed)
        bm_proc_put(text, " ");
    if (*line->name == '/') // of the image: the program's name
        bm_proc_link_exe(text, 0);
    else
        bm_proc_put(text, "%s", line->name);
    bm_proc_put(text, "\n");
}

// The range that the program has mapped from an address on. What may be executed is of an executable that was
// mapped as it is.
static bool next_range(uint64_t from, struct line *line)
{
    struct bm_space_range range;
    if (!bm_space_next(from, &range))
        return false;
    unsigned protection = range.protection;
    *line = (struct line){
        .begin = range.begin,
        .end = range.end,
        .access = {protection & BM_SPACE_ACCESS ? 'r' : '-', protection & BM_SPACE_WRITE ? 'w' : '-',
                   protection & BM_SPACE_EXECUTE ? 'x' : '-', protection & BM_SPACE_SHARED ? 's' : 'p'},
        .name = protection & BM_SPACE_IMAGE ? "/" : ""};
    if (range.object) { // a file
        const struct bm_inode *inode = range.object;
        line->offset = range.offset;
        line->number = inode->number;
        line->device = inode->mount->device;
        bm_space_backing->release(range.object);
    }
    return true;
}

// 0: mappings of Linux executables may be more than there is; 2: what is mapped has its memory.
void bm_proc_overcommit(struct proc_text *text, unsigned number)
{
    (void)number;
    bm_proc_put(text, bm_executable_map_text ? "0\n" : "2\n");
}

// By address; the parts of the image are in order.
void bm_proc_maps(struct proc_text *text, unsigned number)
{
    const struct proc_image image = bm_proc_image_get();
    const struct line fixed[] = {{image.text, image.constants, "r-xp", "/", 0, 0, 0},
                                 {image.constants, image.data, "r--p", "/", 0, 0, 0},
                                 {image.data, image.end, "rw-p", "/", 0, 0, 0},
                                 {image.stack, image.stack_end, "rw-p", "[stack]", 0, 0, 0}};
    enum { FIXED = sizeof fixed / sizeof *fixed };
    (void)number;
    uint64_t from = 0;
    for (;;) {
        struct line next;
        bool any = next_range(from, &next);
        for (unsigned i = 0; i < FIXED; i++)
            if (fixed[i].begin >= from && (!any || fixed[i].begin < next.begin)) {
                next = fixed[i];
                any = true;
            }
        if (!any)
            return;
        put_line(text, &next);
        from = next.end;
    }
}

uint64_t bm_proc_mapped(void)
{
    const struct proc_image image = bm_proc_image_get();
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    uint64_t total = image.end - image.text + image.stack_end - image.stack;
    struct line line;
    for (uint64_t from = 0; next_range(from, &line); from = line.end)
        total += line.end - line.begin;
    // The kernel's own memory is in use, too.
    return total > memory.total - memory.free ? total : memory.total - memory.free;
}
