// Pages of files on a disk while the files are written and cut.
// SPDX-License-Identifier: MIT
#include "page_cache_part.h"

// A page of the table that has been read, held; NULL: there is none.
static struct bm_cached_page *get_ready(struct bm_page_cache *cache, uint64_t number, uint64_t index)
{
    bm_spinlock_acquire(&cache->lock);
    struct bm_cached_page *page = bm_page_cache_find(cache, number, index);
    if (page)
        bm_page_cache_hold(cache, page);
    bm_spinlock_release(&cache->lock);
    if (page)
        bm_page_cache_wait(page);
    return page;
}

static void put(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    bm_spinlock_acquire(&cache->lock);
    bm_page_cache_drop(cache, page);
    bm_spinlock_release(&cache->lock);
}

void bm_page_cache_written(struct bm_page_cache *cache, const struct bm_inode *inode, uint64_t offset,
                           const void *bytes, size_t size)
{
    BM_ASSERT_MAY_WAIT();
    for (size_t done = 0, part; done < size; done += part) {
        size_t in_page = (offset + done) % BM_PAGE_SIZE;
        part = BM_PAGE_SIZE - in_page;
        if (part > size - done)
            part = size - done;
        struct bm_cached_page *page = get_ready(cache, inode->number, (offset + done) / BM_PAGE_SIZE);
        if (!page)
            continue;
        __builtin_memcpy((char *)page->data + in_page, (const char *)bytes + done, part);
        put(cache, page);
    }
}

enum { CHAINS_AT_ONCE = 64 }; // under the lock

// Takes a page out of chain *bucket, or of one behind it, that is of the file and not before `index`; held.
// NULL: there is none in the chains up to the new *bucket, which is the table's size when there is none at
// all.
static struct bm_cached_page *take(struct bm_page_cache *cache, size_t *bucket, uint64_t number,
                                   uint64_t index)
{
    struct bm_cached_page *page = NULL;
    size_t end =
        *bucket + CHAINS_AT_ONCE < cache->bucket_count ? *bucket + CHAINS_AT_ONCE : cache->bucket_count;
    bm_spinlock_acquire(&cache->lock);
    if (!cache->in_table[number % BM_PAGE_CACHE_FILES]) // most files that are removed have none
        *bucket = end = cache->bucket_count;
    while (!page && *bucket < end) {
        page = cache->buckets[*bucket];
        while (page && (page->number != number || page->index < index))
            page = page->chain;
        *bucket += !page;
    }
    if (page) {
        bm_page_cache_hold(cache, page);
        bm_page_cache_forget(cache, page);
    }
    bm_spinlock_release(&cache->lock);
    return page;
}

void bm_page_cache_cut(struct bm_page_cache *cache, uint64_t number, uint64_t size)
{
    BM_ASSERT_MAY_WAIT();
    uint64_t index = (size + BM_PAGE_SIZE - 1) / BM_PAGE_SIZE;
    bm_spinlock_acquire(&cache->lock);
    cache->cuts++;
    bm_spinlock_release(&cache->lock);
    for (size_t bucket = 0; bucket < cache->bucket_count;) {
        struct bm_cached_page *page = take(cache, &bucket, number, index);
        if (!page)
            continue;
        bm_page_cache_wait(page);
        put(cache, page);
    }
    struct bm_cached_page *last = size % BM_PAGE_SIZE ? get_ready(cache, number, size / BM_PAGE_SIZE) : NULL;
    if (!last)
        return;
    __builtin_memset((char *)last->data + size % BM_PAGE_SIZE, 0, BM_PAGE_SIZE - size % BM_PAGE_SIZE);
    put(cache, last);
}
