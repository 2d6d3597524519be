// Inodes: references, and their bytes through their pages.
// SPDX-License-Identifier: MIT
#include "credentials.h"
#include "service.h"

BM_ATOMIC(uint64_t) bm_inode_size_max = INT64_MAX;

struct bm_inode *bm_inode_hold(struct bm_inode *inode)
{
    atomic_fetch_add_explicit(&inode->references, 1, memory_order_relaxed);
    return inode;
}

void bm_inode_put(struct bm_inode *inode)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(atomic_load_explicit(&inode->references, memory_order_relaxed),
              "a reference to an inode must be given back once");
    uint32_t references = atomic_load_explicit(&inode->references, memory_order_relaxed);
    while (references > 1)
        if (atomic_compare_exchange_weak(&inode->references, &references, references - 1))
            return;
    inode->ops->unused(inode);
}

// Of one page, from `offset` on; what is behind page.size, a hole's bytes, too, are zeros.
static void copy_out(char *to, const struct bm_inode_page *page, size_t offset, size_t size)
{
    size_t there = page->size > offset ? page->size - offset : 0;
    if (there > size)
        there = size;
    if (there)
        __builtin_memcpy(to, (const char *)page->data + offset, there);
    if (size > there)
        __builtin_memset(to + there, 0, size - there);
}

long bm_inode_read(struct bm_inode *inode, void *buffer, size_t size, uint64_t offset)
{
    BM_ASSERT_MAY_WAIT();
    if (inode->ops->read)
        return inode->ops->read(inode, buffer, size, offset);
    uint64_t end = atomic_load(&inode->size);
    if (offset >= end)
        return 0;
    if (size > end - offset)
        size = end - offset;
    if (size > INT64_MAX)
        size = INT64_MAX;
    for (size_t done = 0, part; done < size; done += part) {
        size_t in_page = (offset + done) % BM_PAGE_SIZE;
        part = BM_PAGE_SIZE - in_page;
        if (part > size - done)
            part = size - done;
        struct bm_inode_page page = {0};
        int error = inode->ops->page(inode, (offset + done) / BM_PAGE_SIZE, BM_PAGE_READ, &page);
        if (error)
            return done ? (long)done : error;
        copy_out((char *)buffer + done, &page, in_page, part);
        inode->ops->page_put(inode, &page);
    }
    return (long)size;
}

// Writes as many bytes as there is space for; their count, or an error when there are none.
static long write_pages(struct bm_inode *inode, const char *from, size_t size, uint64_t offset)
{
    size_t done = 0, part;
    int error = 0;
    for (; done < size; done += part) {
        size_t in_page = (offset + done) % BM_PAGE_SIZE;
        part = BM_PAGE_SIZE - in_page;
        if (part > size - done)
            part = size - done;
        struct bm_inode_page page = {0};
        enum bm_page_use use = part == BM_PAGE_SIZE ? BM_PAGE_WHOLE : BM_PAGE_WRITE;
        error = inode->ops->page(inode, (offset + done) / BM_PAGE_SIZE, use, &page);
        if (error)
            break;
        __builtin_memcpy((char *)page.data + in_page, from + done, part);
        page.written = true;
        inode->ops->page_put(inode, &page);
    }
    if (done)
        error = inode->ops->written(inode, offset + done);
    return error && !done ? error : (long)done;
}

// Whether a file's seals refuse bytes of a range to be written, or made. Under `busy`.
static bool is_sealed(const struct bm_inode *inode, uint32_t refused, uint64_t begin, uint64_t size)
{
    uint32_t seals = atomic_load_explicit(&inode->seals, memory_order_relaxed);
    uint64_t now = atomic_load(&inode->size);
    return seals & refused || (seals & BM_SEAL_GROW && (begin > now || size > now - begin));
}

// Why bytes may not be written there. Under `busy`.
static int refuse_write(struct bm_inode *inode, uint64_t at, uint64_t size)
{
    if (is_sealed(inode, BM_SEAL_WRITE | BM_SEAL_FUTURE_WRITE, at, size))
        return -BM_EPERM;
    return bm_permission_written ? bm_permission_written(inode) : 0;
}

long bm_inode_write_pieces(struct bm_inode *inode, const struct bm_file_piece *pieces, int count,
                           uint64_t *offset, bool append)
{
    BM_ASSERT_MAY_WAIT();
    if (inode->mount->read_only)
        return -BM_EROFS;
    long total = 0;
    const uint64_t max = atomic_load_explicit(&bm_inode_size_max, memory_order_relaxed);
    bm_file_mutex_acquire(&inode->busy);
    struct bm_file_status now; // of a file that is somewhere else
    if (append && inode->ops->write && (total = bm_inode_status(inode, &now)) < 0)
        count = 0;
    if (append)
        *offset = atomic_load(&inode->size);
    for (int i = 0; i < count; i++) {
        uint64_t at = *offset + (uint64_t)total;
        size_t size = bm_file_part(pieces[i].size, (size_t)total);
        if (size > 0 && at >= max) {
            total = total ? total : -BM_EFBIG;
            break;
        }
        if (size > 0 && size > max - at)
            size = max - at;
        int error = size ? refuse_write(inode, at, size) : 0;
        if (error) {
            total = total ? total : error;
            break;
        }
        long part = !size               ? 0
                    : inode->ops->write ? inode->ops->write(inode, pieces[i].data, size, at)
                                        : write_pages(inode, pieces[i].data, size, at);
        if (part > 0 || !total)
            total += part;
        if (part < 0 || (size_t)part < pieces[i].size)
            break;
    }
    bm_file_mutex_release(&inode->busy);
    return total;
}

long bm_inode_write(struct bm_inode *inode, const void *buffer, size_t size, uint64_t *offset, bool append)
{
    const struct bm_file_piece piece = {(void *)(uintptr_t)buffer, size};
    return bm_inode_write_pieces(inode, &piece, 1, offset, append);
}

int bm_inode_allocate(struct bm_inode *inode, uint64_t begin, uint64_t end, bool keep_size)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT(begin < end, "a range must not be empty");
    if (inode->mount->read_only)
        return -BM_EROFS;
    if (!inode->ops->allocate)
        return -BM_EOPNOTSUPP;
    if (end > (keep_size ? INT64_MAX : atomic_load(&bm_inode_size_max)))
        return -BM_EFBIG;
    struct bm_mount_space space = {0};
    if (inode->mount->space && inode->mount->space(inode->mount, &space) == 0 &&
        (end - begin) / space.block_size > space.blocks)
        return -BM_ENOSPC; // rather than to begin
    bm_file_mutex_acquire(&inode->busy);
    int error = is_sealed(inode, 0, keep_size ? 0 : begin, keep_size ? 0 : end - begin)
                    ? -BM_EPERM
                    : inode->ops->allocate(inode, begin / BM_PAGE_SIZE, (end - 1) / BM_PAGE_SIZE);
    if (!error && !keep_size && end > atomic_load(&inode->size))
        error = inode->ops->written(inode, end);
    bm_file_mutex_release(&inode->busy);
    return error;
}

// Nobody writes meanwhile.
static int64_t find_extent(struct bm_inode *inode, uint64_t at, bool hole)
{
    uint64_t size = atomic_load(&inode->size);
    if (at >= size)
        return -BM_ENXIO;
    while (at < size) {
        struct bm_inode_extent extent;
        int error = inode->ops->extent(inode, at, false, &extent);
        if (error)
            return error;
        if (extent.hole == hole)
            return (int64_t)at;
        if (extent.length <= at - extent.first)
            return -BM_EIO;
        at = extent.first + extent.length;
    }
    return hole ? (int64_t)size : -BM_ENXIO;
}

int64_t bm_inode_find(struct bm_inode *inode, uint64_t at, bool hole)
{
    BM_ASSERT_MAY_WAIT();
    if (!inode->ops->extent) {
        uint64_t size = atomic_load(&inode->size);
        return at >= size ? -BM_ENXIO : hole ? (int64_t)size : (int64_t)at;
    }
    bm_file_mutex_acquire(&inode->busy);
    int64_t found = find_extent(inode, at, hole);
    bm_file_mutex_release(&inode->busy);
    return found;
}

int bm_inode_status(struct bm_inode *inode, struct bm_file_status *status)
{
    BM_ASSERT_MAY_WAIT();
    *status = (struct bm_file_status){.mode = inode->type,
                                      .links = 1,
                                      .number = inode->number,
                                      .device = inode->mount->device,
                                      .size = atomic_load(&inode->size),
                                      .block_size = BM_PAGE_SIZE,
                                      .special = inode->special};
    return inode->ops->status ? inode->ops->status(inode, status) : 0;
}

int bm_inode_change(struct bm_inode *inode, const struct bm_inode_change *change)
{
    BM_ASSERT_MAY_WAIT();
    bool sizes = change->which & BM_CHANGE_SIZE;
    if (sizes && inode->type != BM_FILE_REGULAR)
        return inode->type == BM_FILE_DIRECTORY ? -BM_EISDIR : -BM_EINVAL;
    if (inode->mount->read_only || !inode->ops->change)
        return -BM_EROFS;
    if (!sizes)
        return inode->ops->change(inode, change);
    if (change->size > INT64_MAX)
        return -BM_EINVAL;
    bm_file_mutex_acquire(&inode->busy);
    uint64_t now = atomic_load(&inode->size);
    uint32_t refused = change->size < now ? BM_SEAL_SHRINK : change->size > now ? BM_SEAL_GROW : 0;
    int result = atomic_load_explicit(&inode->seals, memory_order_relaxed) & refused    ? -BM_EPERM
                 : change->size > now && change->size > atomic_load(&bm_inode_size_max) ? -BM_EFBIG
                 : bm_permission_written ? bm_permission_written(inode)
                                         : 0;
    if (!result)
        result = inode->ops->change(inode, change);
    bm_file_mutex_release(&inode->busy);
    return result;
}

int bm_inode_change_permitted(struct bm_inode *inode, const struct bm_inode_change *change)
{
    struct bm_inode_change made = *change;
    int error = bm_permission_change && !inode->mount->read_only ? bm_permission_change(inode, &made) : 0;
    return error ? error : bm_inode_change(inode, &made);
}
