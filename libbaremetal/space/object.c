// Mappings of objects, which are files: shared, whose pages are the same for everybody, and private ones.
// SPDX-License-Identifier: MIT
//
// Their pages are mapped when they are touched (fault.c), and are the object's: whoever is about to take one
// away from it calls bm_space_object_cut first.
#include "inside.h"
#include "pages.h"

#include <baremetal/assert.h>

#include <stddef.h>

// Whoever maps objects links what answers the faults. The linker drops the pointer itself.
static const char *const fault_needed __attribute__((used)) = &bm_space_fault_linked;

int64_t bm_space_map_object(uint64_t address, uint64_t length, unsigned protection, bool keep,
                            const struct bm_space_backing *backing, void *object, uint64_t offset)
{
    BM_ASSERT(!bm_space_backing || bm_space_backing == backing, "all objects are of one kind");
    bm_space_backing = backing;
    bm_space_fault_start();
    struct bm_range what = {.begin = address,
                            .end = address + length,
                            .protection = protection,
                            .object = object,
                            .offset = offset};
    return bm_space_map_range(&what, keep);
}

void bm_space_object_cut(const void *object, uint64_t offset)
{
    BM_ASSERT_NO_HANDLER();
    bm_space_lock();
    for (const struct bm_range *range = bm_ranges; range; range = range->next) {
        uint64_t length = range->end - range->begin;
        if (range->object != object || range->offset + length <= offset)
            continue;
        uint64_t kept = offset > range->offset ? offset - range->offset : 0;
        bm_pages_drop(range->begin + kept, range->end);
    }
    bm_space_unlock();
}

bool bm_space_object_written(const void *object)
{
    bool written = false;
    bm_space_lock();
    for (const struct bm_range *range = bm_ranges; range && !written; range = range->next)
        written = range->object == object &&
                  (range->protection & (BM_SPACE_SHARED | BM_SPACE_READ_ONLY)) == BM_SPACE_SHARED;
    bm_space_unlock();
    return written;
}

const void *bm_space_shared_place(uint64_t address, uint64_t *offset)
{
    const void *object = NULL;
    bm_space_lock();
    const struct bm_range *range = bm_ranges_find(address);
    if (range && range->protection & BM_SPACE_SHARED) {
        object = range->object;
        *offset = range->offset + address - range->begin;
    }
    bm_space_unlock();
    return object;
}
