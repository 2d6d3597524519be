// What mimalloc wants of an operating system: address ranges, and memory for them. In place of its src/os.c.
// SPDX-License-Identifier: MIT
//
// Ranges are reserved and get memory when mimalloc asks for it. What mimalloc gives back is kept, sorted and
// joined, for the next range; its pages stay mapped, so no core has to be told to forget them.
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <mimalloc.h>
#include <string.h>

#include "mimalloc-internal.h"

// mimalloc declares these where it calls them.
void *_mi_os_alloc_aligned(size_t size, size_t alignment, bool commit, bool *large, mi_stats_t *statistics);
void _mi_os_free_ex(void *start, size_t size, bool committed, mi_stats_t *statistics);
void *_mi_os_alloc_huge_os_pages(size_t pages, int node, mi_msecs_t max, size_t *reserved, size_t *size);
void _mi_os_free_huge_pages(void *start, size_t size, mi_stats_t *statistics);

// A free range, at its own beginning.
struct range {
    struct range *next; // the one behind it
    size_t size;
};

static struct range *ranges; // by address
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

static char *end_of(struct range *range)
{
    return (char *)range + range->size;
}

// Puts a range among the free ones and joins it with its neighbours. Its first page has memory.
static void insert(char *start, size_t size)
{
    struct range *added = (struct range *)(void *)start, **link = &ranges, *before = NULL;
    while (*link && *link < added) {
        before = *link;
        link = &before->next;
    }
    *added = (struct range){*link, size};
    *link = added;
    if (added->next && end_of(added) == (char *)added->next) {
        added->size += added->next->size;
        added->next = added->next->next;
    }
    if (before && end_of(before) == start) {
        before->size += added->size;
        before->next = added->next;
    }
}

// Takes an aligned range out of the end of the first free one that holds it; what stands around it is free
// again. Not every page of a free range has memory: new ones are reserved downwards, so if any has not, it is
// at the beginning.
static char *take(size_t alignment, size_t size, bool commit)
{
    for (struct range **link = &ranges; *link; link = &(*link)->next) {
        char *start = (char *)*link, *end = end_of(*link);
        if ((*link)->size < size)
            continue;
        char *aligned = (char *)(((uintptr_t)end - size) & ~(uintptr_t)(alignment - 1));
        if (aligned < start || (commit && !bm_memory_commit(aligned, size)))
            continue;
        // What is left behind needs a page for its links.
        if (aligned + size < end && !bm_memory_commit(aligned + size, 1))
            continue;
        *link = (*link)->next;
        if (aligned > start)
            insert(start, (size_t)(aligned - start));
        if (aligned + size < end)
            insert(aligned + size, (size_t)(end - aligned) - size);
        return aligned;
    }
    return NULL;
}

// mimalloc takes new memory for zeros.
static void clear(char *start, size_t size)
{
    for (char *page = start; page < start + size; page += BM_PAGE_SIZE)
        if (bm_memory_committed(page))
            memset(page, 0, BM_PAGE_SIZE);
}

void _mi_os_init(void)
{
    // Segments get their memory at once, so that what is free in one can be used; it stays with the heap.
    mi_option_set(mi_option_eager_commit, 1);
    mi_option_set(mi_option_eager_commit_delay, 0);
    mi_option_set(mi_option_allow_decommit, 0);
}

size_t _mi_os_page_size(void)
{
    return BM_PAGE_SIZE;
}

size_t _mi_os_good_alloc_size(size_t size)
{
    return size > SIZE_MAX - BM_PAGE_SIZE ? size : _mi_align_up(size, BM_PAGE_SIZE);
}

bool _mi_os_has_overcommit(void)
{
    return false;
}

void *_mi_os_alloc_aligned(size_t size, size_t alignment, bool commit, bool *large, mi_stats_t *statistics)
{
    (void)statistics;
    if (large)
        *large = false;
    size = _mi_os_good_alloc_size(size);
    if (size == 0 || (commit && size > bm_memory_statistics_get().total))
        return NULL;
    if (alignment < BM_PAGE_SIZE)
        alignment = BM_PAGE_SIZE;
    bm_spinlock_acquire(&lock);
    char *start = take(alignment, size, commit);
    bm_spinlock_release(&lock);
    if (start)
        clear(start, size);
    else
        start = bm_memory_reserve(alignment, size);
    if (start && commit && !bm_memory_commit(start, size)) {
        _mi_os_free_ex(start, size, true, statistics);
        return NULL;
    }
    return start;
}

void *_mi_os_alloc(size_t size, mi_stats_t *statistics)
{
    return _mi_os_alloc_aligned(size, BM_PAGE_SIZE, true, NULL, statistics);
}

void _mi_os_free_ex(void *start, size_t size, bool committed, mi_stats_t *statistics)
{
    (void)committed;
    (void)statistics;
    size = _mi_os_good_alloc_size(size);
    if (!start || size == 0 || !bm_memory_commit(start, 1))
        return; // without memory for its links, the addresses are lost, which are plenty
    bm_spinlock_acquire(&lock);
    insert(start, size);
    bm_spinlock_release(&lock);
}

void _mi_os_free(void *start, size_t size, mi_stats_t *statistics)
{
    _mi_os_free_ex(start, size, true, statistics);
}

// A range in which start + offset is aligned. It begins `extra` bytes later than what was taken for it.
void *_mi_os_alloc_aligned_offset(size_t size, size_t alignment, size_t offset, bool commit, bool *large,
                                  mi_stats_t *statistics)
{
    size_t extra = _mi_align_up(offset, alignment) - offset;
    char *start = _mi_os_alloc_aligned(size + extra, alignment, commit, large, statistics);
    return start ? start + extra : NULL;
}

void _mi_os_free_aligned(void *start, size_t size, size_t alignment, size_t offset, bool committed,
                         mi_stats_t *statistics)
{
    size_t extra = _mi_align_up(offset, alignment) - offset;
    _mi_os_free_ex((char *)start - extra, size + extra, committed, statistics);
}

bool _mi_os_commit(void *start, size_t size, bool *is_zero, mi_stats_t *statistics)
{
    (void)statistics;
    if (is_zero)
        *is_zero = false;
    return bm_memory_commit(start, size);
}

bool _mi_os_decommit(void *start, size_t size, mi_stats_t *statistics)
{
    (void)start;
    (void)size;
    (void)statistics;
    return true;
}

bool _mi_os_reset(void *start, size_t size, mi_stats_t *statistics)
{
    return _mi_os_decommit(start, size, statistics);
}

// There are no larger pages to ask for, and one memory for all cores.
void *_mi_os_alloc_huge_os_pages(size_t pages, int node, mi_msecs_t max, size_t *reserved, size_t *size)
{
    (void)pages;
    (void)node;
    (void)max;
    if (reserved)
        *reserved = 0;
    if (size)
        *size = 0;
    return NULL;
}

void _mi_os_free_huge_pages(void *start, size_t size, mi_stats_t *statistics)
{
    (void)start;
    (void)size;
    (void)statistics;
}

_Atomic(size_t) _mi_numa_node_count = 1;

size_t _mi_os_numa_node_count_get(void)
{
    return 1;
}

int _mi_os_numa_node_get(mi_os_tld_t *tld)
{
    (void)tld;
    return 0;
}
