// The address space beside a model of it, where any allocation may fail: a change is made whole or not at
// all.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/space/space.c libbaremetal/space/pages.c libbaremetal/space/ranges.c
#include "../../libbaremetal/base/early.h"
#include "../../libbaremetal/memory/frame.h"
#include "../../libbaremetal/memory/paging.h"
#include "../../libbaremetal/space/pages.h"
#include "../../libbaremetal/space/space.h"

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

void bm_frame_free_list(void **list)
{
    for (void **next; list; list = next) {
        next = *list;
        size_t frame = (size_t)((char *)list - arena) / BM_PAGE_SIZE;
        assert_true(frame < FRAMES && used[frame]);
        used[frame] = false;
        used_count--;
    }
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

void bm_space_flush(void)
{
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
    for (; length; length -= BM_PAGE_SIZE, page += BM_PAGE_SIZE)
        *entry_of(page, &table) = 0;
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

// What each page should be.
static struct {
    bool mapped, has_memory;
    unsigned protection;
    unsigned char content;
} model[PAGES];

static char *memory_of(unsigned page, unsigned half)
{
    uint64_t entry = entries[half][page];
    return entry ? arena + (entry & BM_PTE_ADDRESS) : NULL;
}

static void check_page(unsigned page)
{
    uint64_t address = REGION + page * BM_PAGE_SIZE, entry = entries[0][page];
    unsigned protection = model[page].mapped ? model[page].protection : 0;
    char *memory = memory_of(page, protection ? 0 : 1);
    assert_int_equal(bm_space_mapped(address, BM_PAGE_SIZE), model[page].mapped);
    assert_int_equal(entry != 0, protection != 0);
    assert_false(protection && entries[1][page]);
    assert_int_equal(memory != NULL, model[page].has_memory);
    assert_false(protection && !(entry & BM_PTE_WRITE) != !(protection & BM_SPACE_WRITE));
    for (unsigned i = 0; memory && i < BM_PAGE_SIZE; i += BM_PAGE_SIZE - 1)
        assert_int_equal((unsigned char)memory[i], model[page].content);
}

static unsigned count_nodes(void)
{
    static unsigned most;
    unsigned present = 0;
    for (unsigned page = 0; page < PAGES; page++)
        present += model[page].has_memory;
    assert_true(used_count >= present); // the others hold the list's nodes, and never come back
    unsigned nodes = used_count - present;
    assert_true(nodes >= most && nodes < 40);
    return most = nodes;
}

static void check_all(void)
{
    for (unsigned page = 0; page < PAGES; page++)
        check_page(page);
    count_nodes();
}

// The program writes into what it may write.
static void scribble(unsigned begin, unsigned end)
{
    for (unsigned page = begin; page < end; page++) {
        if (model[page].mapped && model[page].protection & BM_SPACE_WRITE) {
            model[page].content = (unsigned char)rand();
            memset(memory_of(page, 0), model[page].content, BM_PAGE_SIZE);
        }
    }
}

static void model_set(unsigned begin, unsigned end, bool mapped, unsigned protection)
{
    for (unsigned page = begin; page < end; page++) {
        model[page].mapped = mapped;
        model[page].has_memory = mapped && protection;
        model[page].protection = protection;
        model[page].content = 0;
    }
}

static bool all_mapped(unsigned begin, unsigned end)
{
    for (unsigned page = begin; page < end; page++)
        if (!model[page].mapped)
            return false;
    return true;
}

static bool any_mapped(unsigned begin, unsigned end)
{
    for (unsigned page = begin; page < end; page++)
        if (model[page].mapped)
            return true;
    return false;
}

static void try_map(unsigned begin, unsigned end, unsigned protection)
{
    bool keep = rand() % 2, free = !any_mapped(begin, end);
    int64_t result =
        bm_space_map(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE, protection, keep);
    if (result == -BM_EEXIST)
        assert_true(keep && !free);
    else if (result > 0)
        model_set(begin, end, true, protection);
    else if (!keep || free) // what was there may be gone, as with mmap, but then all of it
        assert_int_equal(result, -BM_ENOMEM);
    if (result == -BM_ENOMEM && !bm_space_mapped(REGION + begin * BM_PAGE_SIZE, BM_PAGE_SIZE))
        model_set(begin, end, false, 0);
}

static void try_unmap(unsigned begin, unsigned end)
{
    int result = bm_space_unmap(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE);
    assert_true(result == 0 || (result == -BM_ENOMEM && !allowed));
    if (!result)
        model_set(begin, end, false, 0);
}

static void try_protect(unsigned begin, unsigned end, unsigned protection)
{
    int result = bm_space_protect(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE, protection);
    if (result) {
        assert_int_equal(result, -BM_ENOMEM);
        assert_true(!all_mapped(begin, end) || !allowed);
        return;
    }
    assert_true(all_mapped(begin, end));
    for (unsigned page = begin; page < end; page++) {
        model[page].protection = protection;
        model[page].has_memory |= protection != 0;
    }
}

static void try_resize(unsigned begin, unsigned end)
{
    for (unsigned page = begin; page < end; page++) // most would be refused
        if (rand() % 32 && (!model[page].mapped || model[page].protection != model[begin].protection))
            end = page;
    if (end == begin)
        return;
    unsigned length = end - begin, wanted = 1 + (unsigned)rand() % 20;
    unsigned protection = model[begin].protection;
    int64_t to = bm_space_resize(REGION + begin * BM_PAGE_SIZE, length * BM_PAGE_SIZE, wanted * BM_PAGE_SIZE,
                                 rand() % 2);
    if (to < 0)
        return;
    unsigned first = (unsigned)((to - (int64_t)REGION) / (int64_t)BM_PAGE_SIZE),
             kept = length < wanted ? length : wanted;
    if (first != begin) {
        assert_false(any_mapped(first, first + wanted));
        memcpy(&model[first], &model[begin], kept * sizeof *model);
        model_set(begin, end, false, 0);
    } else if (wanted < length) {
        model_set(begin + wanted, end, false, 0);
    }
    if (wanted > length)
        model_set(first + length, first + wanted, true, protection);
}

static void try_clear(unsigned begin, unsigned end)
{
    int result = bm_space_clear(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE);
    assert_int_equal(result, all_mapped(begin, end) ? 0 : -BM_ENOMEM);
    for (unsigned page = begin; !result && page < end; page++)
        model[page].content = 0;
}

static void random_changes(void **state)
{
    (void)state;
    static const unsigned protections[] = {BM_SPACE_NONE, BM_SPACE_READ, BM_SPACE_READ | BM_SPACE_WRITE};
    enum { ROUNDS = 40000, USED = 96 }; // resize moves beyond USED
    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned begin = (unsigned)rand() % USED,
                 end = begin + 1 + (unsigned)rand() % (rand() % 4 ? 8 : USED);
        unsigned protection = protections[rand() % 3];
        allowed = rand() % 2 ? (unsigned)rand() % 12 : FRAMES;
        switch (rand() % 6) {
        case 0:
            try_map(begin, end, protection);
            break;
        case 1:
            try_unmap(begin, end);
            break;
        case 2:
            try_resize(begin, end);
            break;
        case 3:
            try_clear(begin, end);
            break;
        default:
            try_protect(begin, end, protection);
        }
        check_all();
        scribble(begin, end);
        tables_forget();
    }
}

static void bad_arguments(void **state)
{
    (void)state;
    allowed = FRAMES;
    assert_int_equal(bm_space_unmap(0, BM_PAGE_SIZE), 0);
    assert_int_equal(bm_space_unmap(UINT64_MAX - 4095, 2 * BM_PAGE_SIZE), -BM_EINVAL);
    assert_int_equal(bm_space_unmap(1, BM_PAGE_SIZE), -BM_EINVAL);
    assert_int_equal(bm_space_map(0, 0, 0, false), -BM_EINVAL);
    assert_int_equal(bm_space_map(BM_PAGE_SIZE, BM_PAGE_SIZE, 0, false), -BM_ENOMEM);
    assert_int_equal(bm_space_map(0, 2 * BM_PAGES_SPAN, 0, false), -BM_ENOMEM);
    assert_int_equal(bm_space_resize(REGION, BM_PAGE_SIZE, 0, true), -BM_EINVAL);
    assert_int_equal(bm_space_protect(REGION - BM_PAGE_SIZE, BM_PAGE_SIZE, 0), -BM_ENOMEM);
}

// The image's constants can be mapped and unmapped; nothing makes them writable, moves them or frees them.
static void image_pages(void **state)
{
    (void)state;
    enum { AT = 5 };
    const uint64_t address = REGION + AT * BM_PAGE_SIZE, length = 2 * BM_PAGE_SIZE;
    const void *from = (const void *)IMAGE;
    allowed = UINT32_MAX;
    assert_int_equal(bm_space_map_image(address, (const char *)from + 1, length, true), -BM_EINVAL);
    assert_int_equal(bm_space_map_image(REGION - BM_PAGE_SIZE, from, length, true), -BM_EINVAL);
    image_flags |= BM_PTE_WRITE;
    assert_int_equal(bm_space_map_image(address, from, length, true), -BM_ENOMEM);
    image_flags &= ~BM_PTE_WRITE;
    assert_int_equal(bm_space_map_image(address, from, length, true), 0);
    assert_int_equal(bm_space_map_image(address + BM_PAGE_SIZE, from, length, false), -BM_EEXIST);
    assert_true(bm_space_reachable(address, length, false));
    assert_false(bm_space_reachable(address, length, true));
    assert_false(bm_space_reachable(address, length + 1, false));
    assert_false(bm_space_reachable(REGION - 1, 2, false));
    assert_int_equal(entries[0][AT], IMAGE | BM_PTE_PRESENT);
    assert_int_equal(bm_space_protect(address, length, BM_SPACE_READ | BM_SPACE_WRITE), -BM_EACCES);
    assert_int_equal(bm_space_protect(address, length, BM_SPACE_NONE), -BM_EACCES);
    assert_int_equal(bm_space_resize(address, length, 2 * length, true), -BM_EFAULT);
    assert_int_equal(bm_space_clear(address, length), 0); // which would write to it
    unsigned before = used_count;
    assert_int_equal(bm_space_unmap(address, length), 0);
    assert_int_equal(used_count, before);
    assert_false(bm_space_reachable(address, 1, false));
}

int main(void)
{
    arena = aligned_alloc(BM_PAGE_SIZE, FRAMES * BM_PAGE_SIZE);
    bm_paging_layout.direct = (uint64_t)arena;
    const struct CMUnitTest tests[] = {cmocka_unit_test(bad_arguments), cmocka_unit_test(image_pages),
                                       cmocka_unit_test(random_changes)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(arena);
    return failed;
}
