// Changes of the protection.
// SPDX-License-Identifier: MIT
#include "inside.h"
#include "pages.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>

#include <stddef.h>

// Bytes of [begin, end) that have no memory and will need it.
static uint64_t missing(uint64_t begin, uint64_t end)
{
    uint64_t bytes = 0;
    struct bm_range part;
    for (uint64_t at = begin; bm_space_part(at, end, &part); at = part.end)
        if (!bm_space_is_accessible(&part) && !bm_space_is_filled_later(&part))
            bytes += part.end - part.begin - bm_pages_present(part.begin, part.end);
    return bytes;
}

static bool make_part_accessible(const struct bm_range *part, unsigned access)
{
    uint64_t begin = part->begin, end = part->end;
    return bm_pages_alias(begin + BM_PAGES_SPAN, begin, end - begin, access) &&
           (bm_space_is_filled_later(part) || bm_pages_add(begin, end, access));
}

// What has no access gets it, beside its place in the other half.
static bool make_accessible(uint64_t begin, uint64_t end, unsigned access)
{
    bool done = bm_pages_affordable(missing(begin, end));
    struct bm_range part;
    for (uint64_t at = begin; done && bm_space_part(at, end, &part); at = part.end)
        done = bm_space_is_accessible(&part) || make_part_accessible(&part, access);
    for (uint64_t at = begin; !done && bm_space_part(at, end, &part); at = part.end)
        if (!bm_space_is_accessible(&part))
            bm_pages_retract(part.begin, part.end);
    return done;
}

// What has access is mapped in the other half, too, which is empty there.
static bool make_hidden(uint64_t begin, uint64_t end)
{
    bool done = bm_pages_affordable(0);
    struct bm_range part;
    for (uint64_t at = begin; done && bm_space_part(at, end, &part); at = part.end)
        done = !bm_space_is_accessible(&part) ||
               bm_pages_alias(part.begin, part.begin + BM_PAGES_SPAN, part.end - part.begin, BM_SPACE_NONE);
    for (uint64_t at = begin; !done && bm_space_part(at, end, &part); at = part.end)
        if (bm_space_is_accessible(&part))
            bm_pages_forget(part.begin + BM_PAGES_SPAN, part.end + BM_PAGES_SPAN);
    return done;
}

// Whether something there must not become writable.
static bool is_read_only(uint64_t begin, uint64_t end)
{
    struct bm_range part;
    for (uint64_t at = begin; bm_space_part(at, end, &part); at = part.end)
        if (part.protection & BM_SPACE_READ_ONLY)
            return true;
    return false;
}

static int protect_locked(uint64_t begin, uint64_t end, unsigned access)
{
    struct bm_range first;
    bool same;
    if (!bm_ranges_cover(begin, end, &first, &same))
        return -BM_ENOMEM;
    if (bm_space_has_image(begin, end) || (access & BM_SPACE_WRITE && is_read_only(begin, end)))
        return -BM_EACCES;
    if (same && (first.protection & BM_SPACE_ACCESS) == access)
        return 0;
    if (!bm_ranges_reserve() || !(access ? make_accessible(begin, end, access) : make_hidden(begin, end)))
        return -BM_ENOMEM;
    if (access) {
        bm_pages_forget(begin + BM_PAGES_SPAN, end + BM_PAGES_SPAN);
        bm_pages_protect(begin, end, access);
    } else {
        bm_pages_forget(begin, end);
    }
    bm_space_flush();
    bm_ranges_protect(begin, end, access);
    return 0;
}

int bm_space_protect(uint64_t address, uint64_t length, unsigned protection)
{
    BM_ASSERT_NO_HANDLER();
    bm_space_lock();
    int result = bm_space_region && bm_space_fits(address, length)
                     ? protect_locked(address, address + length, protection)
                     : -BM_ENOMEM;
    bm_space_unlock();
    return result;
}
