// The pages behind the mapped ranges.
// SPDX-License-Identifier: MIT
#include "pages.h"

#include "../base/early.h"
#include "../check/check.h"
#include "../memory/frame.h"
#include "../memory/paging.h"
#include "space.h"

#include <baremetal/memory.h>

#include <stddef.h>

#pragma weak bm_frame_short // only in programs with a balloon

// An object's page, which is not given back with the mapping; one that nobody writes through it, whatever the
// protection. Bits that the processor leaves to software.
#define BORROWED (1ull << 9)
#define CONSTANT (1ull << 10)

// What an entry maps, with another protection.
static bool set(uint64_t page, uint64_t entry, unsigned protection)
{
    bool writable = protection & BM_SPACE_WRITE && !(entry & CONSTANT);
    uint64_t flags = (protection & BM_SPACE_EXECUTE ? 0 : BM_PTE_NO_EXECUTE) | (writable ? BM_PTE_WRITE : 0);
    return bm_paging_map(page, entry & BM_PTE_ADDRESS, BM_PAGE_SIZE, flags | (entry & (BORROWED | CONSTANT)));
}

// The first page of [page, end) that is mapped at its own address, its entry in *entry; `end`: none. What no
// page table knows is passed over.
static uint64_t next_mapped(uint64_t page, uint64_t end, uint64_t *entry)
{
    uint64_t size;
    while (page < end && !(*entry = bm_paging_lookup(page, &size)))
        page = (page | (size - 1)) + 1;
    return page < end ? page : end;
}

// The first page of [page, end) that has memory, in either half.
static uint64_t next_present(uint64_t page, uint64_t end)
{
    uint64_t entry, first = next_mapped(page, end, &entry);
    uint64_t other = next_mapped(page + BM_PAGES_SPAN, first + BM_PAGES_SPAN, &entry) - BM_PAGES_SPAN;
    return first < other ? first : other;
}

uint64_t bm_pages_present(uint64_t begin, uint64_t end)
{
    uint64_t bytes = 0;
    for (uint64_t page = begin; (page = next_present(page, end)) < end; page += BM_PAGE_SIZE)
        bytes += BM_PAGE_SIZE;
    return bytes;
}

bool bm_pages_affordable(uint64_t bytes)
{
    enum { TABLES = 8 };
    uint64_t all = bytes + bytes / 512 + TABLES * BM_PAGE_SIZE, free = bm_frame_free_bytes();
    if (all > free && bm_frame_short && bm_frame_short(all - free))
        free = bm_frame_free_bytes();
    return all <= free;
}

// The largest block that is free and not longer than `length`; NULL when memory ended.
static char *take_block(uint64_t length, uint64_t *size)
{
    static const unsigned orders[] = {9, 4, 0};
    for (unsigned i = 0; i < sizeof orders / sizeof *orders; i++) {
        *size = BM_PAGE_SIZE << orders[i];
        char *block = *size <= length ? bm_frame_allocate(orders[i]) : NULL;
        if (block) {
            BM_CHECK(bm_check_frame_split(block, orders[i])); // its frames go back one by one
            return block;
        }
    }
    return NULL;
}

// A list of single frames for bm_frame_free_list.
static void **frames_link(char *block, uint64_t size, void **list)
{
    for (uint64_t offset = 0; offset < size; offset += BM_PAGE_SIZE) {
        void **frame = (void **)(void *)(block + offset);
        *frame = list;
        list = frame;
    }
    return list;
}

// Gives memory to pages that have none.
static bool fill(uint64_t begin, uint64_t end, unsigned protection)
{
    for (uint64_t page = begin; page < end;) {
        uint64_t size;
        char *block = take_block(end - page, &size);
        if (!block)
            return false;
        __builtin_memset(block, 0, size);
        for (uint64_t offset = 0; offset < size; offset += BM_PAGE_SIZE, page += BM_PAGE_SIZE) {
            if (!set(page, (uint64_t)block + offset - bm_paging_layout.direct, protection)) {
                bm_frame_free_list(frames_link(block + offset, size - offset, NULL));
                return false;
            }
        }
    }
    return true;
}

bool bm_pages_lend(uint64_t page, uint64_t physical, unsigned protection, bool constant)
{
    return set(page, physical | BORROWED | (constant ? CONSTANT : 0), protection);
}

bool bm_pages_copy(uint64_t page, const void *from, uint64_t length, unsigned protection)
{
    uint64_t size, before = bm_paging_lookup(page, &size);
    char *frame = bm_pages_affordable(BM_PAGE_SIZE) ? bm_frame_allocate(0) : NULL;
    if (!frame)
        return false;
    __builtin_memcpy(frame, from, length);
    __builtin_memset(frame + length, 0, BM_PAGE_SIZE - length);
    if (!set(page, (uint64_t)frame - bm_paging_layout.direct, protection)) {
        bm_frame_free(frame, 0);
        return false;
    }
    if (before) { // who read there sees the copy from now on
        bm_paging_invalidate(page);
        bm_space_flush();
    }
    return true;
}

bool bm_pages_add(uint64_t begin, uint64_t end, unsigned protection)
{
    for (uint64_t page = begin; page < end;) {
        uint64_t present = next_present(page, end);
        if (present > page && !fill(page, present, protection))
            return false;
        page = present + BM_PAGE_SIZE;
    }
    return true;
}

// The image's own frames belong to no list.
static bool is_image(uint64_t physical)
{
    return physical - bm_boot_early_state.image_physical < bm_boot_early_state.image_length;
}

// What has been taken out and other cores may still see: its frames are remembered here, since not even the
// word of a list may be written into them before those have forgotten them. Of the space's lock.
enum { TAKEN_MAX = 512 };
static struct {
    bool any; // of pages that are nobody's frames, too
    unsigned count;
    void **frames[TAKEN_MAX];
} taken;

static void give_back(void)
{
    void **list = NULL;
    if (taken.any)
        bm_space_flush();
    while (taken.count)
        list = frames_link((char *)taken.frames[--taken.count], BM_PAGE_SIZE, list);
    bm_frame_free_list(list);
    taken.any = false;
}

// Takes the mappings at [begin, end) away. The caller gives back.
static void take_out(uint64_t begin, uint64_t end)
{
    uint64_t entry;
    for (uint64_t page = begin; (page = next_mapped(page, end, &entry)) < end; page += BM_PAGE_SIZE) {
        if (taken.count == TAKEN_MAX)
            give_back();
        bm_paging_unmap(page, BM_PAGE_SIZE);
        taken.any = true;
        if (!(entry & BORROWED) && !is_image(entry & BM_PTE_ADDRESS))
            taken.frames[taken.count++] = bm_memory_direct(entry & BM_PTE_ADDRESS);
    }
}

void bm_pages_drop(uint64_t begin, uint64_t end)
{
    take_out(begin, end);
    take_out(begin + BM_PAGES_SPAN, end + BM_PAGES_SPAN);
    give_back();
}

bool bm_pages_alias(uint64_t from, uint64_t to, uint64_t length, unsigned protection)
{
    uint64_t entry, end = from + length;
    for (uint64_t page = from; (page = next_mapped(page, end, &entry)) < end; page += BM_PAGE_SIZE) {
        if (!set(to + (page - from), entry, protection)) {
            bm_paging_unmap(to, page - from);
            bm_space_flush();
            return false;
        }
    }
    return true;
}

void bm_pages_forget(uint64_t begin, uint64_t end)
{
    bm_paging_unmap(begin, end - begin);
}

void bm_pages_retract(uint64_t begin, uint64_t end)
{
    uint64_t entry, other;
    for (uint64_t page = begin; (page = next_mapped(page, end, &entry)) < end; page += BM_PAGE_SIZE) {
        uint64_t hidden = page + BM_PAGES_SPAN;
        if (next_mapped(hidden, hidden + BM_PAGE_SIZE, &other) == hidden) {
            bm_paging_unmap(page, BM_PAGE_SIZE);
            taken.any = true;
        } else {
            take_out(page, page + BM_PAGE_SIZE);
        }
    }
    give_back();
}

void bm_pages_protect(uint64_t begin, uint64_t end, unsigned protection)
{
    uint64_t entry;
    for (uint64_t page = begin; (page = next_mapped(page, end, &entry)) < end; page += BM_PAGE_SIZE) {
        set(page, entry, protection); // needs no table: there is an entry
        bm_paging_invalidate(page);
    }
}

void bm_pages_clear(uint64_t begin, uint64_t end)
{
    uint64_t entry;
    for (unsigned half = 0; half < 2; half++, begin += BM_PAGES_SPAN, end += BM_PAGES_SPAN)
        for (uint64_t page = begin; (page = next_mapped(page, end, &entry)) < end; page += BM_PAGE_SIZE)
            __builtin_memset(bm_memory_direct(entry & BM_PTE_ADDRESS), 0, BM_PAGE_SIZE);
}

bool bm_pages_map_image(uint64_t begin, uint64_t from, uint64_t length, bool execute)
{
    for (uint64_t offset = 0; offset < length; offset += BM_PAGE_SIZE) {
        uint64_t size, entry = bm_paging_lookup(from + offset, &size);
        uint64_t physical = bm_memory_physical((const void *)(from + offset));
        bool constant = entry && !(entry & BM_PTE_WRITE) && is_image(physical);
        if (!constant ||
            !bm_paging_map(begin + offset, physical, BM_PAGE_SIZE, execute ? 0 : BM_PTE_NO_EXECUTE)) {
            bm_paging_unmap(begin, offset);
            return false;
        }
    }
    return true;
}

bool bm_pages_reachable(uint64_t begin, uint64_t end, bool write)
{
    uint64_t size;
    for (uint64_t page = begin & ~(BM_PAGE_SIZE - 1); page < end; page += BM_PAGE_SIZE) {
        uint64_t entry = bm_paging_lookup(page, &size);
        if (!entry || (write && !(entry & BM_PTE_WRITE)))
            return false;
    }
    return true;
}
