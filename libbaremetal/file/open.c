// Open files of inodes.
// SPDX-License-Identifier: MIT
#include "service.h"

// An open regular file or directory: the lock makes reading and moving on one step for those who share it.
struct open_file {
    struct bm_file file;
    struct bm_file_mutex position;
    struct bm_inode *directory; // where it has its name, with a reference; NULL: not known
};

static struct open_file *open_of(struct bm_file *file)
{
    return (struct open_file *)file;
}

static long open_read_at(struct bm_file *file, void *buffer, size_t size, uint64_t offset)
{
    return bm_inode_read(file->inode, buffer, size, offset);
}

static long open_write_at(struct bm_file *file, const void *buffer, size_t size, uint64_t offset)
{
    // As on Linux, O_APPEND wins.
    return bm_inode_write(file->inode, buffer, size, &offset, file->flags & BM_O_APPEND);
}

static long open_read(struct bm_file *file, void *buffer, size_t size)
{
    bm_file_mutex_acquire(&open_of(file)->position);
    long result = bm_inode_read(file->inode, buffer, size, (uint64_t)file->position);
    if (result > 0)
        file->position += result;
    bm_file_mutex_release(&open_of(file)->position);
    return result;
}

static long open_write(struct bm_file *file, const void *buffer, size_t size)
{
    bm_file_mutex_acquire(&open_of(file)->position);
    uint64_t offset = (uint64_t)file->position;
    long result = bm_inode_write(file->inode, buffer, size, &offset, file->flags & BM_O_APPEND);
    if (result > 0)
        file->position = (long long)offset + result;
    bm_file_mutex_release(&open_of(file)->position);
    return result;
}

// The pieces in one step, as one read of the position has it.
static long open_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    long total = 0;
    bm_file_mutex_acquire(&open_of(file)->position);
    for (int i = 0; i < count; i++) {
        size_t size = bm_file_part(pieces[i].size, (size_t)total);
        long part = bm_inode_read(file->inode, pieces[i].data, size, (uint64_t)(file->position + total));
        if (part > 0 || !total)
            total += part;
        if (part < 0 || (size_t)part < pieces[i].size)
            break;
    }
    if (total > 0)
        file->position += total;
    bm_file_mutex_release(&open_of(file)->position);
    return total;
}

static long open_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    bm_file_mutex_acquire(&open_of(file)->position);
    uint64_t offset = (uint64_t)file->position;
    long result = bm_inode_write_pieces(file->inode, pieces, count, &offset, file->flags & BM_O_APPEND);
    if (result > 0)
        file->position = (long long)offset + result;
    bm_file_mutex_release(&open_of(file)->position);
    return result;
}

// Under the lock of the position: SEEK_DATA and SEEK_HOLE of regular files.
static long long seek_extent(struct bm_file *file, long long offset, int whence)
{
    if (offset < 0)
        return -BM_ENXIO;
    long long found = bm_inode_find(file->inode, (uint64_t)offset, whence == BM_SEEK_HOLE);
    if (found >= 0)
        file->position = found;
    return found;
}

static long long open_seek(struct bm_file *file, long long offset, int whence)
{
    bool extent = whence == BM_SEEK_DATA || whence == BM_SEEK_HOLE;
    bm_file_mutex_acquire(&open_of(file)->position);
    long long base = whence == BM_SEEK_SET   ? 0
                     : whence == BM_SEEK_CUR ? file->position
                     : whence == BM_SEEK_END ? (long long)atomic_load(&file->inode->size)
                                             : -1;
    if (extent && file->inode->type == BM_FILE_REGULAR)
        base = seek_extent(file, offset, whence);
    else if (base < 0 || __builtin_add_overflow(base, offset, &base) || base < 0)
        base = -BM_EINVAL;
    else
        file->position = base;
    bm_file_mutex_release(&open_of(file)->position);
    return base;
}

static int open_stat(struct bm_file *file, struct bm_file_status *status)
{
    return bm_inode_status(file->inode, status);
}

static int open_close(struct bm_file *file)
{
    if (open_of(file)->directory)
        bm_inode_put(open_of(file)->directory);
    bm_inode_put(file->inode);
    bm_file_free(file, sizeof(struct open_file));
    return 0;
}

static long directory_read(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return -BM_EISDIR;
}

static long directory_read_at(struct bm_file *file, void *buffer, size_t size, uint64_t offset)
{
    (void)offset;
    return directory_read(file, buffer, size);
}

static long place_move(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return -BM_EBADF;
}

static long place_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)buffer;
    return place_move(file, NULL, size);
}

static long long place_seek(struct bm_file *file, long long offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return -BM_EBADF;
}

static int place_poll(struct bm_file *file)
{
    (void)file;
    return BM_POLLNVAL;
}

static const struct bm_file_ops regular_ops = {.read = open_read,
                                               .write = open_write,
                                               .readv = open_readv,
                                               .writev = open_writev,
                                               .read_at = open_read_at,
                                               .write_at = open_write_at,
                                               .seek = open_seek,
                                               .stat = open_stat,
                                               .close = open_close};
static const struct bm_file_ops directory_ops = {.read = directory_read,
                                                 .read_at = directory_read_at,
                                                 .seek = open_seek,
                                                 .stat = open_stat,
                                                 .close = open_close};
// BM_O_PATH: only its place in the tree.
static const struct bm_file_ops place_ops = {.read = place_move,
                                             .write = place_write,
                                             .seek = place_seek,
                                             .stat = open_stat,
                                             .poll = place_poll,
                                             .close = open_close};

struct bm_inode *bm_open_directory(struct bm_file *file)
{
    return file->ops == &regular_ops || file->ops == &place_ops ? open_of(file)->directory : NULL;
}

int bm_inode_open(struct bm_inode *inode, struct bm_inode *directory, int flags, struct bm_file **file)
{
    const struct bm_file_ops *ops = flags & BM_O_PATH                  ? &place_ops
                                    : inode->type == BM_FILE_REGULAR   ? &regular_ops
                                    : inode->type == BM_FILE_DIRECTORY ? &directory_ops
                                                                       : NULL;
    if (ops == &regular_ops && inode->ops->open)
        return inode->ops->open(inode, flags & ~BM_OPENING, file);
    if (!ops && inode->type == BM_FILE_CHARACTER && bm_device_open)
        return bm_device_open(inode, flags, file);
    if (!ops && inode->type == BM_FILE_BLOCK && bm_disk_open)
        return bm_disk_open(inode, flags, file);
    if (!ops)
        return -BM_ENXIO;
    struct open_file *made = bm_file_allocate(sizeof *made);
    if (!made)
        return -BM_ENOMEM;
    made->file.ops = ops;
    made->file.flags = flags & ~BM_OPENING;
    if (directory && ops != &directory_ops)
        made->directory = bm_inode_hold(directory);
    made->file.inode = bm_inode_hold(inode);
    *file = &made->file;
    return 0;
}

int bm_file_status_of(struct bm_file *file, struct bm_file_status *status)
{
    *status = (struct bm_file_status){0};
    return file->ops->stat ? file->ops->stat(file, status) : -BM_EINVAL;
}

int bm_file_change(struct bm_file *file, const struct bm_inode_change *change)
{
    if (file->flags & BM_O_PATH)
        return -BM_EBADF;
    return file->inode ? bm_inode_change_permitted(file->inode, change)
                       : 0; // pipes and terminals keep no such thing
}

int bm_file_truncate(struct bm_file *file, int64_t size)
{
    struct bm_inode_change change = {.which = BM_CHANGE_SIZE, .size = (uint64_t)size};
    if (file->flags & BM_O_PATH)
        return size < 0 ? -BM_EINVAL : -BM_EBADF;
    if (size < 0 || !file->inode || file->inode->type != BM_FILE_REGULAR ||
        (file->flags & BM_O_ACCMODE) == BM_O_RDONLY)
        return -BM_EINVAL;
    return bm_inode_change(file->inode, &change);
}

int bm_file_sync(struct bm_file *file, bool data_only)
{
    if (file->flags & BM_O_PATH)
        return -BM_EBADF;
    if (file->inode && file->inode->type == BM_FILE_BLOCK && bm_disk_sync)
        return bm_disk_sync(file);
    if (!file->inode || (file->inode->type != BM_FILE_REGULAR && file->inode->type != BM_FILE_DIRECTORY))
        return -BM_EINVAL;
    return file->inode->ops->sync ? file->inode->ops->sync(file->inode, data_only) : 0;
}

static int fill_dots(struct bm_inode *directory, bool above, struct bm_inode_entry *entry)
{
    struct bm_file_status status;
    int error = bm_inode_status(directory, &status);
    if (error || status.links == 0)
        return error ? error : -BM_ENOENT;
    struct bm_inode *inode = bm_inode_hold(directory), *up;
    if (above && bm_walk_up(directory, &up) == 0) {
        bm_inode_put(inode);
        inode = up;
    }
    *entry = (struct bm_inode_entry){.number = inode->number,
                                     .cookie = above ? 2 : 1,
                                     .type = BM_FILE_DIRECTORY,
                                     .length = above ? 2 : 1,
                                     .name = {'.', above ? '.' : 0}};
    bm_inode_put(inode);
    return 1;
}

int bm_file_entry(struct bm_file *file, struct bm_inode_entry *entry)
{
    if (file->flags & BM_O_PATH)
        return -BM_EBADF;
    if (!file->inode || file->inode->type != BM_FILE_DIRECTORY)
        return -BM_ENOTDIR;
    bm_file_mutex_acquire(&open_of(file)->position);
    int result;
    if (file->position < 2)
        result = fill_dots(file->inode, file->position == 1, entry);
    else
        result = file->inode->ops->entry(file->inode, (uint64_t)file->position, entry);
    if (result == 1)
        file->position = (long long)entry->cookie;
    bm_file_mutex_release(&open_of(file)->position);
    return result;
}
