// The address space beside a model of it, where any allocation may fail: a change is made whole or not at
// all.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/space/space.c libbaremetal/space/pages.c libbaremetal/space/ranges.c
// @sources libbaremetal/space/protect.c libbaremetal/space/object.c libbaremetal/space/fault.c
// @sources libbaremetal/space/move.c
// @sources libbaremetal/base/stack.c
#include "space/machine.h"

// What each page should be.
static struct page {
    bool mapped, has_memory;
    unsigned protection, kind; // access; the rest
    unsigned char content;
    struct object *object;
    unsigned index; // in it
    bool own;       // of a private mapping of the object: it was written, or is a copy from the begin
} model[PAGES];

static unsigned char content_of(const struct page *page)
{
    return page->object && !page->own ? page->object->contents[page->index] : page->content;
}

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
    bool later = model[page].kind & BM_SPACE_LAZY || model[page].object;
    assert_int_equal(entry != 0, protection && (!later || model[page].has_memory));
    assert_false(protection && entries[1][page]);
    assert_int_equal(memory != NULL, model[page].has_memory);
    bool constant = model[page].object && !model[page].own && !(model[page].kind & BM_SPACE_SHARED);
    assert_false(entry && !(entry & BM_PTE_WRITE) != (constant || !(protection & BM_SPACE_WRITE)));
    if (memory && model[page].object && !model[page].own)
        assert_int_equal(memory - arena, OBJECT_PAGE(model[page].object, model[page].index));
    for (unsigned i = 0; memory && i < BM_PAGE_SIZE; i += BM_PAGE_SIZE - 1)
        assert_int_equal((unsigned char)memory[i], content_of(&model[page]));
}

static unsigned count_nodes(void)
{
    static unsigned most;
    unsigned present = 0;
    for (unsigned page = 0; page < PAGES; page++)
        present += model[page].has_memory && (!model[page].object || model[page].own);
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
    assert_int_equal(seen_count, 0); // no other core sees what was unmapped
    for (struct object *object = objects; object < objects + OBJECTS; object++) {
        unsigned mapped = 0;
        for (unsigned page = 0; page < PAGES; page++)
            mapped += model[page].mapped && model[page].object == object;
        assert_true(object->references <= mapped && (object->references != 0) == (mapped != 0));
    }
}

// The program writes into what it may write.
static void scribble(unsigned begin, unsigned end)
{
    for (unsigned page = begin; page < end; page++) {
        struct object *object = model[page].own ? NULL : model[page].object;
        if (object && !(model[page].kind & BM_SPACE_SHARED))
            continue; // would be a fault
        if (model[page].mapped && model[page].protection & BM_SPACE_WRITE && model[page].has_memory) {
            unsigned char *content = object ? &object->contents[model[page].index] : &model[page].content;
            *content = (unsigned char)rand();
            memset(memory_of(page, 0), *content, BM_PAGE_SIZE);
        }
    }
}

static void model_set(unsigned begin, unsigned end, const struct page *what)
{
    static const struct page nothing;
    for (unsigned page = begin; page < end; page++) {
        model[page] = what ? *what : nothing;
        model[page].index += page - begin;
        model[page].has_memory = model[page].mapped && model[page].protection && !model[page].object &&
                                 !(model[page].kind & BM_SPACE_LAZY);
        model[page].content = 0;
        model[page].own = false;
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

static struct page random_kind(unsigned protection)
{
    static const unsigned kinds[] = {0, 0, BM_SPACE_SHARED, BM_SPACE_LAZY, BM_SPACE_LAZY};
    struct page what = {.mapped = true, .protection = protection, .kind = kinds[rand() % 5]};
    if (rand() % 3 == 0) {
        what.object = &objects[rand() % OBJECTS];
        what.index = (unsigned)rand() % 4;
        what.kind = rand() % 2 ? BM_SPACE_SHARED : 0;
        if (what.object == objects && what.kind) {
            what.kind |= BM_SPACE_READ_ONLY;
            what.protection &= BM_SPACE_READ;
        }
    }
    return what;
}

// Anywhere is the lowest hole.
static void try_map_anywhere(unsigned length, unsigned protection)
{
    const struct page what = {.mapped = true, .protection = protection};
    unsigned hole = 0;
    while (any_mapped(hole, hole + length))
        hole++;
    int64_t result = bm_space_map(0, length * BM_PAGE_SIZE, protection, false);
    if (result == -BM_ENOMEM)
        return;
    assert_int_equal(result, REGION + hole * BM_PAGE_SIZE);
    model_set(hole, hole + length, &what);
}

static void try_map(unsigned begin, unsigned end, unsigned protection)
{
    bool keep = rand() % 2, free = !any_mapped(begin, end);
    const struct page what = random_kind(protection);
    if (what.object && end - begin > OBJECT_PAGES - what.index)
        end = begin + OBJECT_PAGES - what.index;
    uint64_t address = REGION + begin * BM_PAGE_SIZE, length = (end - begin) * BM_PAGE_SIZE;
    int64_t result = what.object ? bm_space_map_object(address, length, what.protection | what.kind, keep,
                                                       &backing, what.object, what.index * BM_PAGE_SIZE)
                                 : bm_space_map(address, length, what.protection | what.kind, keep);
    if (result == -BM_EEXIST)
        assert_true(keep && any_mapped(begin, end));
    else if (result > 0)
        model_set(begin, end, &what);
    else if (!keep || free) // what was there may be gone, as with mmap, but then all of it
        assert_int_equal(result, -BM_ENOMEM);
    if (result == -BM_ENOMEM && !bm_space_mapped(address, BM_PAGE_SIZE))
        model_set(begin, end, NULL);
}

static void try_unmap(unsigned begin, unsigned end)
{
    int result = bm_space_unmap(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE);
    assert_true(result == 0 || (result == -BM_ENOMEM && !allowed));
    if (!result)
        model_set(begin, end, NULL);
}

static void try_protect(unsigned begin, unsigned end, unsigned protection)
{
    bool read_only = false;
    for (unsigned page = begin; page < end; page++)
        read_only |= model[page].kind & BM_SPACE_READ_ONLY;
    int result = bm_space_protect(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE, protection);
    if (result == -BM_EACCES) {
        assert_true(read_only && protection & BM_SPACE_WRITE);
        return;
    }
    if (result) {
        assert_int_equal(result, -BM_ENOMEM);
        assert_true(!all_mapped(begin, end) || !allowed);
        return;
    }
    assert_true(all_mapped(begin, end) && !(read_only && protection & BM_SPACE_WRITE));
    for (unsigned page = begin; page < end; page++) {
        model[page].protection = protection;
        model[page].has_memory |= protection && !model[page].object && !(model[page].kind & BM_SPACE_LAZY);
    }
}

static bool goes_on(const struct page *one, const struct page *next)
{
    return next->mapped && one->protection == next->protection && one->kind == next->kind &&
           one->object == next->object && (!one->object || one->index + 1 == next->index);
}

static void try_resize(unsigned begin, unsigned end)
{
    if (!model[begin].mapped && rand() % 32)
        return;
    bool same = true;
    for (unsigned page = begin + 1; page < end; page++) // most would be refused
        if (!goes_on(&model[page - 1], &model[page])) {
            if (rand() % 32)
                end = page;
            else
                same = false;
        }
    unsigned length = end - begin, wanted = 1 + (unsigned)rand() % 20;
    struct page more = model[begin];
    more.index += length;
    if (more.object && (more.index > OBJECT_PAGES || OBJECT_PAGES - model[begin].index < wanted))
        return;
    int64_t to = bm_space_resize(REGION + begin * BM_PAGE_SIZE, length * BM_PAGE_SIZE, wanted * BM_PAGE_SIZE,
                                 rand() % 2);
    if (to < 0)
        return;
    assert_true(all_mapped(begin, end) && (same || wanted <= length));
    unsigned first = (unsigned)((to - (int64_t)REGION) / (int64_t)BM_PAGE_SIZE),
             kept = length < wanted ? length : wanted;
    if (first != begin) {
        assert_false(any_mapped(first, first + wanted));
        memcpy(&model[first], &model[begin], kept * sizeof *model);
        model_set(begin, end, NULL);
    } else if (wanted < length) {
        model_set(begin + wanted, end, NULL);
    }
    if (wanted > length)
        model_set(first + length, first + wanted, &more);
}

static bool is_one(unsigned begin, unsigned end)
{
    for (unsigned page = begin; page < end; page++)
        if (!model[page].mapped || (page > begin && !goes_on(&model[page - 1], &model[page])))
            return false;
    return true;
}

// To anywhere, or over what is at another place; it may stay mapped where it was, too.
static void try_move(unsigned begin, unsigned end)
{
    bool keep = rand() % 2, fixed = rand() % 2;
    while (end > begin + 1 && !is_one(begin, end) && rand() % 32)
        end--;
    unsigned length = end - begin, wanted = keep ? length : 1 + (unsigned)rand() % 12,
             to = (unsigned)rand() % 96;
    struct page more = model[begin];
    more.index += length;
    if (more.object && wanted > length && OBJECT_PAGES - model[begin].index < wanted)
        return;
    int64_t result = bm_space_move(&(struct bm_space_move){.address = REGION + begin * BM_PAGE_SIZE,
                                                           .length = length * BM_PAGE_SIZE,
                                                           .wanted = wanted * BM_PAGE_SIZE,
                                                           .to = fixed ? REGION + to * BM_PAGE_SIZE : 0,
                                                           .keep = keep});
    if (result == -BM_EINVAL) {
        assert_true(fixed && to < end && begin < to + wanted);
        return;
    }
    if (fixed && !bm_space_mapped(REGION + to * BM_PAGE_SIZE, BM_PAGE_SIZE))
        model_set(to, to + wanted, NULL);
    bool one = is_one(begin, begin + (length < wanted ? length : wanted));
    if (result < 0) {
        assert_true((result == -BM_EFAULT && !one) || (result == -BM_ENOMEM && allowed < 100));
        for (unsigned page = begin + wanted; page < end; page++) // the rest goes first
            if (!bm_space_mapped(REGION + page * BM_PAGE_SIZE, BM_PAGE_SIZE))
                model_set(page, page + 1, NULL);
        return;
    }
    unsigned first = (unsigned)((result - (int64_t)REGION) / (int64_t)BM_PAGE_SIZE);
    if (wanted < length) // may be where it is now
        model_set(begin + wanted, end, NULL);
    assert_true(one && (fixed ? first == to : !any_mapped(first, first + wanted)));
    unsigned kept = length < wanted ? length : wanted;
    memcpy(&model[first], &model[begin], kept * sizeof *model);
    if (wanted > length)
        model_set(first + length, first + wanted, &more);
    struct page old = model[begin];
    model_set(begin, begin + kept, keep ? &old : NULL);
}

static void try_clear(unsigned begin, unsigned end)
{
    int result = bm_space_clear(REGION + begin * BM_PAGE_SIZE, (end - begin) * BM_PAGE_SIZE);
    assert_int_equal(result, all_mapped(begin, end) ? 0 : -BM_ENOMEM);
    for (unsigned page = begin; !result && page < end; page++) {
        if (model[page].kind & BM_SPACE_SHARED)
            continue;
        model[page].content = 0;
        if (model[page].kind & BM_SPACE_LAZY || model[page].object)
            model[page].has_memory = model[page].own = false;
    }
}

// What was given beside what was asked for, and where.
static void note_given(unsigned touched)
{
    enum { WINDOW = 16 };
    for (unsigned page = 0; page < PAGES; page++) {
        if (!(model[page].kind & BM_SPACE_LAZY) || !model[page].protection || model[page].has_memory ||
            !entries[0][page])
            continue;
        assert_int_equal(page / WINDOW, touched / WINDOW);
        model[page].has_memory = true;
        model[page].content = 0;
    }
}

static void try_touch(unsigned page)
{
    bool write = rand() % 2, all = allowed > 100;
    const struct page *what = &model[page];
    uint64_t address = REGION + page * BM_PAGE_SIZE + (unsigned)rand() % BM_PAGE_SIZE;
    bool may = what->mapped && what->protection & (write ? BM_SPACE_WRITE : BM_SPACE_READ);
    bool there = !what->object || what->index < what->object->pages;
    bool done = bm_space_touch(address, 1, write);
    if (done && what->object) {
        bool private = !(what->kind & BM_SPACE_SHARED);
        if (private && !what->own &&
            (write || (!what->has_memory && is_elsewhere(what->object, what->index)))) {
            model[page].content = content_of(what);
            model[page].own = true;
        }
        model[page].has_memory = true;
    }
    if (done)
        assert_true(may && there);
    else
        assert_true(!may || !there || !all);
    note_given(page);
    if (done)
        assert_true(what->has_memory);
    assert_int_equal(bm_space_lacks(address, write), may && !done);
    assert_int_equal(bm_space_resident(address & ~(BM_PAGE_SIZE - 1)),
                     what->mapped && (what->object || what->has_memory));
}

static void try_cut(void)
{
    struct object *object = &objects[rand() % OBJECTS];
    object->pages = (unsigned)rand() % (OBJECT_PAGES + 1);
    bm_space_object_cut(object, object->pages * BM_PAGE_SIZE);
    bool written = false;
    for (unsigned page = 0; page < PAGES; page++) {
        if (model[page].object != object)
            continue;
        written |= model[page].kind == BM_SPACE_SHARED;
        model[page].has_memory &= model[page].index < object->pages;
        model[page].own &= model[page].has_memory;
    }
    assert_int_equal(bm_space_object_written(object), written);
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
        switch (rand() % 11) {
        case 10:
            try_move(begin, end);
            break;
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
        case 9:
            try_map_anywhere(1 + (unsigned)rand() % 8, protection);
            break;
        case 4:
            try_cut();
            break;
        case 5:
        case 6:
            try_touch(begin);
            break;
        default:
            try_protect(begin, end, protection);
        }
        if (rand() % 128 == 0) // what was moved far away, too
            try_unmap(0, PAGES);
        check_all();
        scribble(begin, end);
        tables_forget();
    }
    assert_int_equal(takers, 1);
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

// More than is taken out between two flushes.
static void many_pages(void **state)
{
    (void)state;
    enum { LENGTH = PAGES * BM_PAGE_SIZE };
    allowed = UINT32_MAX;
    assert_int_equal(bm_space_map(REGION, LENGTH, BM_SPACE_READ | BM_SPACE_WRITE, false), REGION);
    for (unsigned page = 0; page < PAGES; page++)
        memset(memory_of(page, 0), 0x5a, BM_PAGE_SIZE);
    unsigned before = used_count;
    assert_int_equal(bm_space_unmap(REGION, LENGTH), 0);
    assert_int_equal(used_count, before - PAGES);
    assert_int_equal(seen_count, 0);
}

// Memory ends behind a page that had got its access back: no core sees it any more.
static void access_taken_back(void **state)
{
    (void)state;
    const unsigned access = BM_SPACE_READ | BM_SPACE_WRITE;
    allowed = UINT32_MAX;
    assert_int_equal(bm_space_map(REGION, 2 * BM_PAGE_SIZE, access, false), REGION);
    assert_int_equal(bm_space_map(REGION + 2 * BM_PAGE_SIZE, BM_PAGE_SIZE, BM_SPACE_NONE, true),
                     REGION + 2 * BM_PAGE_SIZE);
    assert_int_equal(bm_space_protect(REGION + BM_PAGE_SIZE, BM_PAGE_SIZE, BM_SPACE_NONE), 0);
    assert_int_equal(seen_count, 0);
    allowed = 0;
    assert_int_equal(bm_space_protect(REGION + BM_PAGE_SIZE, 2 * BM_PAGE_SIZE, access), -BM_ENOMEM);
    assert_false(bm_space_reachable(REGION + BM_PAGE_SIZE, 1, false));
    assert_int_equal(seen_count, 0);
    assert_int_equal(bm_space_unmap(REGION, 3 * BM_PAGE_SIZE), 0);
}

int main(void)
{
    arena = aligned_alloc(BM_PAGE_SIZE, (FRAMES + IMAGE_PAGES + OBJECTS * OBJECT_PAGES) * BM_PAGE_SIZE);
    memset(arena + IMAGE, 0, (IMAGE_PAGES + OBJECTS * OBJECT_PAGES) * BM_PAGE_SIZE);
    bm_paging_layout.direct = (uint64_t)arena;
    const struct CMUnitTest tests[] = {cmocka_unit_test(bad_arguments), cmocka_unit_test(image_pages),
                                       cmocka_unit_test(many_pages), cmocka_unit_test(access_taken_back),
                                       cmocka_unit_test(random_changes)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(arena);
    return failed;
}
