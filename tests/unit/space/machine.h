// The machine below the address space, as test_space.c has it: frames that can be counted and can end, page
// tables that need memory, an image, and pages of objects.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../libbaremetal/base/early.h"
#include "../../../libbaremetal/cpu/fault_take.h"
#include "../../../libbaremetal/memory/frame.h"
#include "../../../libbaremetal/memory/paging.h"
#include "../../../libbaremetal/space/pages.h"
#include "../../../libbaremetal/space/space.h"

#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGES = 600, TABLE_PAGES = 8, TABLES = 2 * (PAGES / TABLE_PAGES + 1), FRAMES = 8192 };
#define REGION 0x100000000000ull

struct bm_paging_layout bm_paging_layout;

// The image: pages behind the frames' addresses, which no list of frames may get.
enum { IMAGE_PAGES = 4 };
#define IMAGE ((uint64_t)FRAMES * BM_PAGE_SIZE)
struct bm_boot_early bm_boot_early_state = {.image_physical = IMAGE,
                                            .image_length = IMAGE_PAGES * BM_PAGE_SIZE};

// Objects: pages behind the image's, which no list of frames may get either. One can only be read.
enum { OBJECTS = 3, OBJECT_PAGES = 40 };
static struct object {
    unsigned pages; // before its end
    unsigned references;
    unsigned char contents[OBJECT_PAGES];
} objects[OBJECTS];
#define OBJECT_PAGE(object, index)                                                                           \
    (IMAGE + (IMAGE_PAGES + (unsigned)((object)-objects) * OBJECT_PAGES + (index)) * BM_PAGE_SIZE)

// Frames, each given out or not. Allocations fail when `allowed` have been made.
static char *arena;
static bool used[FRAMES];
static unsigned used_count, allowed;

static bool has_run(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        if (used[i])
            return false;
    return true;
}

void *bm_frame_allocate(unsigned order)
{
    unsigned count = 1u << order;
    if (!allowed)
        return NULL;
    for (unsigned i = count; i + count <= FRAMES; i += count) {
        if (has_run(i, count)) {
            memset(&used[i], true, count);
            used_count += count;
            allowed--;
            return memset(arena + i * BM_PAGE_SIZE, 0xee, count * BM_PAGE_SIZE);
        }
    }
    return NULL;
}

// Frames that were mapped where another core may still see them, until the next flush; what stood there.
static unsigned seen[FRAMES], seen_count;
static bool is_seen[FRAMES];
static unsigned char seen_contents[FRAMES][sizeof(void *)];

static void see(uint64_t physical)
{
    size_t frame = physical / BM_PAGE_SIZE;
    if (frame >= FRAMES || is_seen[frame])
        return;
    is_seen[frame] = true;
    memcpy(seen_contents[frame], arena + physical, sizeof *seen_contents);
    seen[seen_count++] = (unsigned)frame;
}

void bm_space_flush(void)
{
    while (seen_count) {
        unsigned frame = seen[--seen_count];
        assert_memory_equal(arena + frame * BM_PAGE_SIZE, seen_contents[frame], sizeof *seen_contents);
        is_seen[frame] = false;
    }
}

void bm_frame_free_list(void **list)
{
    for (void **next; list; list = next) {
        next = *list;
        size_t frame = (size_t)((char *)list - arena) / BM_PAGE_SIZE;
        assert_true(frame < FRAMES && used[frame] && !is_seen[frame]);
        used[frame] = false;
        used_count--;
    }
}

void bm_frame_free(void *block, unsigned order)
{
    assert_int_equal(order, 0);
    *(void **)block = NULL;
    bm_frame_free_list(block);
}

uint64_t bm_frame_free_bytes(void)
{
    return (uint64_t)(FRAMES - used_count) * BM_PAGE_SIZE;
}

void *bm_memory_direct(uint64_t physical)
{
    return arena + physical;
}

uint64_t bm_memory_physical(const void *address)
{
    return (uint64_t)address; // of the image alone, which tests name by its physical addresses
}

void *bm_memory_reserve(size_t alignment, size_t size)
{
    assert_true(alignment && size == 2 * BM_PAGES_SPAN);
    return (void *)REGION;
}

bool bm_space_flush_start(void)
{
    return true;
}

void bm_space_flush_answer(void)
{
}

unsigned bm_core_id(void)
{
    return 0;
}

static unsigned takers;

void bm_fault_taker_add(struct bm_fault_taker *taker)
{
    assert_true(taker->take && taker->early);
    takers++;
}

// Page tables: of each half the first PAGES entries; each TABLE_PAGES need a table before they hold anything.
static uint64_t entries[2][PAGES];
static bool tables[TABLES];

static uint64_t *entry_of(uint64_t page, bool **table)
{
    size_t half = page >= REGION + BM_PAGES_SPAN,
           index = (page - REGION - half * BM_PAGES_SPAN) / BM_PAGE_SIZE;
    assert_true(index < PAGES);
    *table = &tables[half * TABLES / 2 + index / TABLE_PAGES];
    return &entries[half][index];
}

bool bm_paging_map(uint64_t page, uint64_t physical, uint64_t length, uint64_t flags)
{
    bool *table;
    uint64_t *entry = entry_of(page, &table);
    assert_int_equal(length, BM_PAGE_SIZE);
    if (!*table) {
        if (!allowed)
            return false;
        allowed--;
        *table = true;
    }
    *entry = physical | flags | BM_PTE_PRESENT;
    return true;
}

static uint64_t image_flags = BM_PTE_PRESENT; // of the image's pages at their own addresses

uint64_t bm_paging_lookup(uint64_t page, uint64_t *size)
{
    if (page - IMAGE < IMAGE_PAGES * BM_PAGE_SIZE)
        return page | image_flags;
    bool *table;
    uint64_t *entry = entry_of(page, &table);
    *size = *table ? BM_PAGE_SIZE : 8 * BM_PAGE_SIZE;
    return *entry;
}

void bm_paging_unmap(uint64_t page, uint64_t length)
{
    bool *table;
    for (; length; length -= BM_PAGE_SIZE, page += BM_PAGE_SIZE) {
        uint64_t *entry = entry_of(page, &table);
        if (*entry && page < REGION + BM_PAGES_SPAN) // nobody looks at the other half
            see(*entry & BM_PTE_ADDRESS);
        *entry = 0;
    }
}

// Those that hold nothing will be needed again.
static void tables_forget(void)
{
    for (unsigned table = 0; table < TABLES; table++) {
        bool holds = false;
        for (unsigned i = 0; i < TABLE_PAGES; i++) {
            unsigned index = table % (TABLES / 2) * TABLE_PAGES + i;
            holds |= index < PAGES && entries[table / (TABLES / 2)][index];
        }
        tables[table] = holds;
    }
}

void bm_paging_invalidate(uint64_t page)
{
    (void)page;
}

static int object_page(void *which, uint64_t index, bool write, uint64_t *physical)
{
    struct object *object = which;
    (void)write;
    if (index >= object->pages || !allowed)
        return -BM_EFAULT;
    *physical = OBJECT_PAGE(object, index);
    return 0;
}

// Some pages have no frame: they are told as bytes.
static bool is_elsewhere(const struct object *object, uint64_t index)
{
    return object == &objects[2] && index % 3 == 0;
}

static int object_page_private(void *which, uint64_t index, uint64_t *physical, struct bm_space_bytes *bytes)
{
    struct object *object = which;
    if (index >= object->pages || !allowed)
        return -BM_EFAULT;
    *physical = OBJECT_PAGE(object, index);
    if (is_elsewhere(object, index))
        *bytes = (struct bm_space_bytes){arena + *physical, BM_PAGE_SIZE};
    return 0;
}

static void object_hold(void *object)
{
    ((struct object *)object)->references++;
}

static void object_release(void *object)
{
    assert_true(((struct object *)object)->references--);
}

static const struct bm_space_backing backing = {
    .page = object_page, .page_private = object_page_private, .hold = object_hold, .release = object_release};
