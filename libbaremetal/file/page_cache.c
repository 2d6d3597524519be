// Pages of files on a disk.
// SPDX-License-Identifier: MIT
//
// A page is in the table from before it is read on: who wants it meanwhile waits for it. It has a reference
// for each user and one for the request that reads it; while it has none it is in the list of those that may
// go. One that could not be read leaves the table at once, so that the next one tries again.
#include "page_cache_part.h"

#include <baremetal/memory.h>
#include <baremetal/wait.h>

enum { AHEAD = 32, AHEAD_RANDOM = 4, BUCKETS_MIN = 64, BUCKETS_MAX = 16384 };

// Pages that are side by side, on their way from the disk.
struct reading {
    struct bm_block_request request;
    struct bm_page_cache *cache;
    unsigned count;
    struct bm_dma_segment segments[AHEAD];
    struct bm_cached_page *pages[AHEAD];
};

int bm_page_cache_make(struct bm_page_cache *cache, struct bm_blockdev *device, uint64_t limit)
{
    *cache = (struct bm_page_cache){.device = device, .limit = limit};
    if (device->sector_size > BM_PAGE_SIZE || device->segment_max < BM_PAGE_SIZE ||
        device->transfer_max < BM_PAGE_SIZE)
        return -BM_EOPNOTSUPP;
    if (!limit)
        cache->limit = bm_memory_statistics_get().total / BM_PAGE_SIZE / 4;
    if (cache->limit < AHEAD)
        cache->limit = AHEAD;
    cache->bucket_count = BUCKETS_MIN;
    while (cache->bucket_count < cache->limit && cache->bucket_count < BUCKETS_MAX)
        cache->bucket_count *= 2;
    cache->buckets = bm_file_allocate(cache->bucket_count * sizeof *cache->buckets);
    return cache->buckets ? 0 : -BM_ENOMEM;
}

// All below up to the next such line: under the lock.

static struct bm_cached_page **bucket_of(const struct bm_page_cache *cache, uint64_t number, uint64_t index)
{
    uint64_t hash = (number * 0x9e3779b97f4a7c15 + index) * 0xff51afd7ed558ccd;
    return &cache->buckets[(hash >> 32) & (cache->bucket_count - 1)];
}

struct bm_cached_page *bm_page_cache_find(const struct bm_page_cache *cache, uint64_t number, uint64_t index)
{
    struct bm_cached_page *page = *bucket_of(cache, number, index);
    while (page && (page->number != number || page->index != index))
        page = page->chain;
    return page;
}

static void list_remove(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    *(page->older ? &page->older->newer : &cache->oldest) = page->newer;
    *(page->newer ? &page->newer->older : &cache->newest) = page->older;
    page->older = page->newer = NULL;
}

static void list_add(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    page->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = page;
    cache->newest = page;
}

void bm_page_cache_forget(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    struct bm_cached_page **link = bucket_of(cache, page->number, page->index);
    while (*link != page)
        link = &(*link)->chain;
    *link = page->chain;
    page->in_table = false;
    cache->in_table[page->number % BM_PAGE_CACHE_FILES]--;
}

void bm_page_cache_hold(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    if (page->references++ == 0)
        list_remove(cache, page);
}

static void page_free(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    bm_frame_free(page->data, 0);
    bm_file_free(page, sizeof *page);
    cache->pages--;
}

void bm_page_cache_drop(struct bm_page_cache *cache, struct bm_cached_page *page)
{
    BM_ASSERT(page->references, "a page of the cache must be given back once");
    if (--page->references)
        return;
    if (page->in_table)
        list_add(cache, page);
    else
        page_free(cache, page);
}

// Gives up the page that was used longest ago.
static bool shrink(struct bm_page_cache *cache)
{
    struct bm_cached_page *page = cache->oldest;
    if (!page)
        return false;
    list_remove(cache, page);
    bm_page_cache_forget(cache, page);
    page_free(cache, page);
    return true;
}

static struct bm_cached_page *page_make(struct bm_page_cache *cache, uint64_t number, uint64_t index)
{
    while (cache->pages >= cache->limit && shrink(cache))
        ;
    struct bm_cached_page *page;
    do
        page = bm_file_allocate(sizeof *page);
    while (!page && shrink(cache));
    if (!page)
        return NULL;
    do
        page->data = bm_frame_allocate(0);
    while (!page->data && shrink(cache));
    if (!page->data) {
        bm_file_free(page, sizeof *page);
        return NULL;
    }
    cache->pages++;
    page->number = number;
    page->index = index;
    page->references = 1;
    page->in_table = true;
    struct bm_cached_page **bucket = bucket_of(cache, number, index);
    page->chain = *bucket;
    *bucket = page;
    cache->in_table[number % BM_PAGE_CACHE_FILES]++;
    return page;
}

// Without the lock again.

// Of a request that is over: its pages' users go on.
static void end(struct reading *reading, int result)
{
    struct bm_page_cache *cache = reading->cache;
    bm_spinlock_acquire(&cache->lock);
    for (unsigned i = 0; i < reading->count; i++) {
        struct bm_cached_page *page = reading->pages[i];
        if (result && page->in_table)
            bm_page_cache_forget(cache, page);
        atomic_store(&page->state, result ? BM_PAGE_FAILED : BM_PAGE_READY);
        bm_file_waiters_wake(page->cores);
        bm_page_cache_drop(cache, page);
    }
    bm_spinlock_release(&cache->lock);
    bm_file_free(reading, sizeof *reading);
}

static void done(struct bm_block_request *request)
{
    end(request->arg, request->result);
}

struct room {
    struct bm_blockqueue *queue;
    uint64_t completed; // of it when it was full
};

static bool has_room(void *arg)
{
    const struct room *room = arg;
    return __atomic_load_n(&room->queue->completed, __ATOMIC_RELAXED) != room->completed;
}

static void submit(struct reading *reading)
{
    struct bm_blockdev *device = reading->cache->device;
    struct room room = {.queue = bm_blockdev_queue(device, 0)};
    for (;;) {
        room.completed = __atomic_load_n(&room.queue->completed, __ATOMIC_RELAXED);
        int error = bm_block_submit(device, room.queue, &reading->request);
        if (error && error != -BM_EAGAIN) {
            end(reading, error);
            return;
        }
        bm_block_kick(room.queue);
        if (!error)
            return;
        bm_wait_until(has_room, &room, UINT64_MAX);
    }
}

// How many pages from `index` on are to be read at once, by what is side by side on the disk and was read
// last.
static uint64_t count_wanted(struct bm_page_cache *cache, const struct bm_inode *inode, uint64_t index,
                             const struct bm_inode_extent *extent)
{
    const struct bm_blockdev *device = cache->device;
    bool follows = index == 0 || (cache->last_number == inode->number && cache->last_index == index);
    uint64_t wanted = follows ? AHEAD : AHEAD_RANDOM;
    uint64_t left = (extent->first + extent->length) / BM_PAGE_SIZE - index;
    uint64_t end = (atomic_load(&inode->size) + BM_PAGE_SIZE - 1) / BM_PAGE_SIZE;
    const uint64_t bounds[] = {left, end > index ? end - index : 1, device->segments_max,
                               device->transfer_max / BM_PAGE_SIZE};
    for (unsigned i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (wanted > bounds[i])
            wanted = bounds[i];
    cache->last_number = inode->number;
    cache->last_index = index + wanted;
    return wanted;
}

// Begins to read a page that was not there, and some behind it; *first is that page, held. NULL: it is there
// now, or blocks have been freed since `cuts`, so that the extent may be another one.
static int read_from(struct bm_page_cache *cache, struct bm_inode *inode, uint64_t index, uint64_t cuts,
                     const struct bm_inode_extent *extent, struct bm_cached_page **first)
{
    struct reading *reading = bm_file_allocate(sizeof *reading);
    if (!reading)
        return -BM_ENOMEM;
    uint64_t sectors = BM_PAGE_SIZE / cache->device->sector_size;
    reading->cache = cache;
    bm_spinlock_acquire(&cache->lock);
    bool there = cuts != cache->cuts || bm_page_cache_find(cache, inode->number, index);
    uint64_t wanted = there ? 0 : count_wanted(cache, inode, index, extent);
    while (reading->count < wanted && !bm_page_cache_find(cache, inode->number, index + reading->count)) {
        struct bm_cached_page *page = page_make(cache, inode->number, index + reading->count);
        if (!page)
            break;
        reading->segments[reading->count] =
            (struct bm_dma_segment){.address = bm_dma_address(page->data), .length = BM_PAGE_SIZE};
        reading->pages[reading->count++] = page;
    }
    if (reading->count)
        bm_page_cache_hold(cache, *first = reading->pages[0]);
    cache->requests += reading->count != 0;
    bm_spinlock_release(&cache->lock);
    if (!reading->count) {
        bm_file_free(reading, sizeof *reading);
        return there ? 0 : -BM_ENOMEM; // another core was faster
    }
    reading->request = (struct bm_block_request){
        .operation = BM_BLOCK_READ,
        .segment_count = (uint16_t)reading->count,
        .count = (uint32_t)(reading->count * sectors),
        .sector = extent->sector + (index * BM_PAGE_SIZE - extent->first) / cache->device->sector_size,
        .segments = reading->segments,
        .done = done,
        .arg = reading};
    submit(reading);
    return 0;
}

// Fills a page of which parts lie in several places, with waiting.
static int fill(struct bm_page_cache *cache, struct bm_inode *inode, uint64_t index, char *data)
{
    uint64_t begin = index * BM_PAGE_SIZE, end = atomic_load(&inode->size);
    for (size_t at = 0, part; at < BM_PAGE_SIZE; at += part) {
        struct bm_inode_extent extent = {.hole = true};
        part = BM_PAGE_SIZE - at;
        int error = begin + at < end ? inode->ops->extent(inode, begin + at, false, &extent) : 0;
        if (error)
            return error;
        if (begin + at < end && extent.first + extent.length - (begin + at) < part)
            part = extent.first + extent.length - (begin + at);
        if (!part || part % cache->device->sector_size)
            return -BM_EIO;
        if (extent.hole)
            __builtin_memset(data + at, 0, part);
        else
            error = bm_block_read(cache->device,
                                  extent.sector + (begin + at - extent.first) / cache->device->sector_size,
                                  data + at, (uint32_t)(part / cache->device->sector_size));
        if (error)
            return error;
    }
    return 0;
}

// As read_from, of a page that no extent covers.
static int read_parts(struct bm_page_cache *cache, struct bm_inode *inode, uint64_t index,
                      struct bm_cached_page **first)
{
    struct reading *reading = bm_file_allocate(sizeof *reading);
    if (!reading)
        return -BM_ENOMEM;
    reading->cache = cache;
    bm_spinlock_acquire(&cache->lock);
    bool there = bm_page_cache_find(cache, inode->number, index);
    struct bm_cached_page *page = there ? NULL : page_make(cache, inode->number, index);
    if (page)
        bm_page_cache_hold(cache, *first = page);
    bm_spinlock_release(&cache->lock);
    if (!page) {
        bm_file_free(reading, sizeof *reading);
        return there ? 0 : -BM_ENOMEM; // another core was faster
    }
    reading->pages[reading->count++] = page;
    end(reading, fill(cache, inode, index, page->data));
    return 0;
}

static bool is_over(void *arg)
{
    struct bm_cached_page *page = arg;
    bm_file_waiter_note(page->cores);
    return atomic_load(&page->state) != BM_PAGE_LOADING;
}

void bm_page_cache_wait(struct bm_cached_page *page)
{
    if (atomic_load(&page->state) == BM_PAGE_LOADING)
        bm_wait_until(is_over, page, UINT64_MAX);
}

// Waits for a page that is held.
static int await(struct bm_page_cache *cache, struct bm_cached_page *found, struct bm_inode_page *page)
{
    bm_page_cache_wait(found);
    *page = (struct bm_inode_page){.data = found->data, .size = BM_PAGE_SIZE, .keeper = found};
    if (atomic_load(&found->state) == BM_PAGE_READY)
        return 0;
    bm_page_cache_put(cache, page);
    return -BM_EIO;
}

int bm_page_cache_get(struct bm_page_cache *cache, struct bm_inode *inode, uint64_t index,
                      struct bm_inode_page *page)
{
    BM_ASSERT_MAY_WAIT();
    *page = (struct bm_inode_page){0};
    for (;;) {
        bm_spinlock_acquire(&cache->lock);
        struct bm_cached_page *found = bm_page_cache_find(cache, inode->number, index);
        uint64_t cuts = cache->cuts;
        if (found)
            bm_page_cache_hold(cache, found);
        bm_spinlock_release(&cache->lock);
        struct bm_inode_extent extent = {0};
        int error = found ? 0 : inode->ops->extent(inode, index * BM_PAGE_SIZE, false, &extent);
        bool whole = extent.first + extent.length - index * BM_PAGE_SIZE >= BM_PAGE_SIZE;
        if (!error && !found && !whole)
            error = read_parts(cache, inode, index, &found);
        else if (!error && !found && !extent.hole)
            error = read_from(cache, inode, index, cuts, &extent, &found);
        if (error || (whole && extent.hole))
            return error;
        if (found)
            return await(cache, found, page);
    }
}

void bm_page_cache_put(struct bm_page_cache *cache, struct bm_inode_page *page)
{
    if (!page->keeper)
        return;
    bm_spinlock_acquire(&cache->lock);
    bm_page_cache_drop(cache, page->keeper);
    bm_spinlock_release(&cache->lock);
    *page = (struct bm_inode_page){0};
}

void bm_page_cache_end(struct bm_page_cache *cache)
{
    bm_spinlock_acquire(&cache->lock);
    while (shrink(cache))
        ;
    BM_ASSERT(cache->pages == 0, "pages of a cache must be given back before it ends");
    bm_spinlock_release(&cache->lock);
    bm_file_free(cache->buckets, cache->bucket_count * sizeof *cache->buckets);
    cache->buckets = NULL;
}
