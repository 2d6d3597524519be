// A cache of pages of files on a disk, for file systems (inode.h).
// SPDX-License-Identifier: MIT
//
// It keeps pages in frames of their own, reads as many in one request as are side by side on the disk, and
// gives up those that were used longest ago when they have become too many or memory ends. A file's pages are
// found by its inode's number, so they outlive the inode in memory. It reads; who writes to the disk says so
// with bm_page_cache_written, and who frees blocks with bm_page_cache_cut.
#pragma once

#include <baremetal/block.h>
#include <baremetal/inode.h>
#include <baremetal/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_cached_page;

// How many counters of pages a cache has; files share one when their numbers are the same modulo this.
enum { BM_PAGE_CACHE_FILES = 256 };

// The cache of a mounted file system, which embeds it. All members are the cache's.
struct bm_page_cache {
    struct bm_blockdev *device;             // of all pages
    struct bm_spinlock lock;                // over all below
    struct bm_cached_page **buckets;        // of the table
    size_t bucket_count;                    // of them
    struct bm_cached_page *oldest, *newest; // of those that nobody uses, in the order of their last use
    uint64_t pages, limit;                  // that there are; that there are to be at most
    uint64_t last_number, last_index;       // of the file and page behind the last one that was read
    uint64_t requests;                      // to the disk
    uint64_t cuts;                          // of files
    uint32_t in_table[BM_PAGE_CACHE_FILES]; // pages in the table, by their file's number modulo its size
};

// Makes a cache of pages of `device`, at most `limit` (0: a quarter of the machine's memory). Returns 0,
// -BM_ENOMEM, or -BM_EOPNOTSUPP when the device cannot read a page at once.
int bm_page_cache_make(struct bm_page_cache *cache, struct bm_blockdev *device, uint64_t limit);

// Frees a cache of which no page is in use.
void bm_page_cache_end(struct bm_page_cache *cache);

// Gets page `index` of a file into *page, for reading, and waits for the disk if need be; as struct
// bm_inode_ops' page. The inode's `extent` says where it lies; extents that begin or end within a page do so
// at sectors, and are read one by one. Returns 0, -BM_EIO, -BM_ENOMEM or an error of `extent`.
int bm_page_cache_get(struct bm_page_cache *cache, struct bm_inode *inode, uint64_t index,
                      struct bm_inode_page *page);

// Gives a page back; one that is a hole, too.
void bm_page_cache_put(struct bm_page_cache *cache, struct bm_inode_page *page);

// `size` bytes of a file, which are at `bytes`, have been written to the disk, from `offset` on: pages that
// are in the cache get them, too. The caller lets nobody else write to them meanwhile, and holds no lock that
// the file's `extent` takes.
void bm_page_cache_written(struct bm_page_cache *cache, const struct bm_inode *inode, uint64_t offset,
                           const void *bytes, size_t size);

// Blocks of the file with inode `number` from byte `size` on are about to be freed, or were: pages behind it
// go, those that are being read have been read, and what is behind it in the last page is zeros. The file's
// size is `size` by then, and who reads looks at it once more behind bm_page_cache_get. Locks as above.
void bm_page_cache_cut(struct bm_page_cache *cache, uint64_t number, uint64_t size);

#ifdef __cplusplus
}
#endif
