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

// Takes one page of a chain out that is of the file and not before `index`; held. NULL: there is no other.
static struct bm_cached_page *take(struct bm_page_cache *cache, size_t bucket, uint64_t number,
                                   uint64_t index)
{
    bm_spinlock_acquire(&cache->lock);
    struct bm_cached_page *page = cache->buckets[bucket];
    while (page && (page->number != number || page->index < index))
        page = page->chain;
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
    for (size_t bucket = 0; bucket < cache->bucket_count; bucket++)
        for (struct bm_cached_page *page; (page = take(cache, bucket, number, index));) {
            bm_page_cache_wait(page);
            put(cache, page);
        }
    struct bm_cached_page *last = size % BM_PAGE_SIZE ? get_ready(cache, number, size / BM_PAGE_SIZE) : NULL;
    if (!last)
        return;
    __builtin_memset((char *)last->data + size % BM_PAGE_SIZE, 0, BM_PAGE_SIZE - size % BM_PAGE_SIZE);
    put(cache, last);
}
