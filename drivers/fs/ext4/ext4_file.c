// Files while they grow, are written, shrink and end: operations over extents, inodes and orphans.
// SPDX-License-Identifier: MIT
#include "ext4_write.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { INODES_MAX = 4 };

int bm_ext4_operate(struct ext4_fs *fs, struct ext4_inode *const *inodes, unsigned count,
                    int (*step)(struct ext4_fs *fs, void *arg), void *arg)
{
    struct ext4_inode before[INODES_MAX];
    int error = 0;
    for (unsigned i = 0; i < count; i++)
        before[i] = *inodes[i];
    for (unsigned round = 0; round < 2; round++) {
        error = bm_ext4_operation_begin(fs, EXT4_OPERATION_BLOCKS);
        if (error)
            return error;
        error = bm_ext4_operation_end(fs, step(fs, arg));
        for (unsigned i = 0; i < count && error; i++)
            *inodes[i] = before[i];
        if (error != -BM_ENOSPC || !fs->transactions->frees)
            break;
        if (bm_ext4_commit(fs))
            break;
    }
    return error;
}

struct part {
    struct ext4_inode *file;
    uint64_t at, end;         // blocks of the file
    uint64_t size;            // bytes
    bool resizes, adds, done; // to that size; as an orphan
};

static bool is_known(const struct ext4_inode *file)
{
    return file->flags & EXT4_INODE_EXTENTS;
}

// --- Growing ---

// Behind the block before, or in the inode's group.
static int goal_of(struct ext4_fs *fs, const struct ext4_inode *file, uint64_t at, uint64_t *goal)
{
    struct ext4_extent extent = {.hole = true};
    int error = at ? bm_ext4_extent_map(fs, file, (uint32_t)at - 1, &extent) : 0;
    if (!extent.hole || extent.unwritten)
        *goal = extent.block + (at - extent.first);
    else
        *goal = fs->super.first_data +
                (uint64_t)((file->number - 1) / fs->super.group_inodes) * fs->super.group_blocks;
    return error;
}

// Blocks for the hole [at, end), or for its beginning: *next is behind them.
static int hole_fill(struct ext4_fs *fs, struct ext4_inode *file, uint64_t at, uint64_t end, uint64_t *next)
{
    struct ext4_extent extent = {.first = at, .unwritten = true};
    uint64_t goal = 0, max = EXT4_X_WRITTEN_MAX - 1;
    uint32_t wanted = (uint32_t)(end - at < max ? end - at : max);
    int error = goal_of(fs, file, at, &goal);
    if (!error)
        error = bm_ext4_blocks_allocate(fs, goal, true, &extent.block, &wanted);
    *next = error ? at : at + wanted;
    extent.count = wanted;
    if (!error)
        error = bm_ext4_extent_insert(fs, file, &extent);
    file->blocks += error ? 0 : (uint64_t)wanted << (fs->super.block_bits - 9);
    return error;
}

static int allocate_step(struct ext4_fs *fs, void *arg)
{
    struct part *part = arg;
    struct ext4_inode *file = part->file;
    uint64_t at = part->at;
    int error = 0;
    while (at < part->end && !error && fs->transactions->changes < EXT4_STEP_BLOCKS) {
        struct ext4_extent extent;
        error = bm_ext4_extent_map(fs, file, (uint32_t)at, &extent);
        uint64_t next = extent.first + extent.count < part->end ? extent.first + extent.count : part->end;
        if (!error && extent.hole && !extent.unwritten)
            error = hole_fill(fs, file, at, next, &next);
        if (error == -BM_ENOSPC && next == at && at > part->at) { // the next operation says so
            error = 0;
            break;
        }
        at = next;
    }
    if (!error)
        error = bm_ext4_inode_write(fs, file);
    if (!error)
        part->at = at;
    return error;
}

int bm_ext4_file_allocate(struct ext4_fs *fs, struct ext4_inode *file, uint32_t first, uint32_t total,
                          uint32_t *done)
{
    struct part part = {.file = file, .at = first, .end = (uint64_t)first + total};
    int error = is_known(file) ? 0 : -BM_EOPNOTSUPP;
    *done = 0;
    if (part.end > UINT32_MAX)
        return -BM_EFBIG;
    while (part.at < part.end && !error)
        error = bm_ext4_operate(fs, &file, 1, allocate_step, &part);
    *done = (uint32_t)(part.at - first);
    return error;
}

int bm_ext4_file_fits(struct ext4_fs *fs, const struct ext4_inode *file, uint32_t first, uint32_t total)
{
    uint64_t end = (uint64_t)first + total, wanted = 0;
    if (!is_known(file))
        return -BM_EOPNOTSUPP;
    if (end > UINT32_MAX)
        return -BM_EFBIG;
    for (uint64_t at = first, next; at < end; at = next) {
        struct ext4_extent extent;
        int error = bm_ext4_extent_map(fs, file, (uint32_t)at, &extent);
        if (error)
            return error;
        next = extent.first + extent.count < end ? extent.first + extent.count : end;
        wanted += extent.hole && !extent.unwritten ? next - at : 0;
    }
    return bm_ext4_blocks_fit(fs, wanted);
}

static int written_step(struct ext4_fs *fs, void *arg)
{
    struct part *part = arg;
    struct ext4_inode *file = part->file;
    uint64_t at = part->at;
    int error = 0;
    while (at < part->end && !error && fs->transactions->changes < EXT4_STEP_BLOCKS) {
        struct ext4_extent extent;
        error = bm_ext4_extent_map(fs, file, (uint32_t)at, &extent);
        uint64_t next = extent.first + extent.count < part->end ? extent.first + extent.count : part->end;
        if (!error && extent.unwritten)
            error = bm_ext4_extent_convert(fs, file, (uint32_t)at, (uint32_t)(next - at));
        at = next;
    }
    if (at >= part->end && file->size < part->size)
        file->size = part->size;
    if (!error)
        error = bm_ext4_inode_write(fs, file);
    if (!error)
        part->at = at;
    part->done = at >= part->end;
    return error;
}

int bm_ext4_file_written(struct ext4_fs *fs, struct ext4_inode *file, uint32_t first, uint32_t total,
                         uint64_t size)
{
    struct part part = {.file = file, .at = first, .end = (uint64_t)first + total, .size = size};
    int error = is_known(file) ? 0 : -BM_EOPNOTSUPP;
    while (!part.done && !error)
        error = bm_ext4_operate(fs, &file, 1, written_step, &part);
    return error;
}

// --- Shrinking ---

// Frees some of what is behind part->at. It is an orphan meanwhile, so that a crash does not keep the rest.
static int cut_step(struct ext4_fs *fs, void *arg)
{
    struct part *part = arg;
    struct ext4_inode *file = part->file;
    bool more = true, directory = (file->mode & BM_FILE_TYPE) != BM_FILE_REGULAR;
    int error = 0;
    if (part->resizes)
        file->size = part->size;
    if (part->adds)
        error = bm_ext4_orphan_add(fs, file);
    while (more && !error && fs->transactions->changes < EXT4_STEP_BLOCKS)
        error = bm_ext4_extent_cut(fs, file, part->at, directory, &more);
    if (!error && !more && file->links)
        error = bm_ext4_orphan_remove(fs, file);
    if (!error)
        error = bm_ext4_inode_write(fs, file);
    if (!error)
        part->adds = false;
    part->done = !more;
    return error;
}

static int cut(struct ext4_fs *fs, struct part part)
{
    int error = 0;
    part.at = (part.size + fs->super.block_size - 1) >> fs->super.block_bits;
    while (!part.done && !error)
        error = bm_ext4_operate(fs, &part.file, 1, cut_step, &part);
    return error;
}

int bm_ext4_file_cut(struct ext4_fs *fs, struct ext4_inode *file, uint64_t size)
{
    return cut(fs, (struct part){.file = file, .size = size});
}

static int size_step(struct ext4_fs *fs, void *arg)
{
    struct part *part = arg;
    part->file->size = part->size;
    return bm_ext4_inode_write(fs, part->file);
}

int bm_ext4_file_resize(struct ext4_fs *fs, struct ext4_inode *file, uint64_t size)
{
    struct part part = {.file = file, .size = size};
    if (!is_known(file))
        return -BM_EOPNOTSUPP;
    if (size > (uint64_t)UINT32_MAX << fs->super.block_bits)
        return -BM_EFBIG;
    if (size > file->size)
        return bm_ext4_operate(fs, &file, 1, size_step, &part);
    part.resizes = true;
    part.adds = file->links > 0; // without links it is one already
    return cut(fs, part);
}

static int end_step(struct ext4_fs *fs, void *arg)
{
    struct ext4_inode *file = arg;
    int error = bm_ext4_orphan_remove(fs, file);
    if (!error && (file->mode & BM_FILE_TYPE) == BM_FILE_LINK && !is_known(file) &&
        !bm_ext4_is_short_link(file)) // the first word of a block map
        error = bm_ext4_blocks_free(fs, ext4_get32(file->block), 1, true);
    return error ? error : bm_ext4_inode_end(fs, file);
}

int bm_ext4_file_end(struct ext4_fs *fs, struct ext4_inode *file)
{
    uint32_t type = file->mode & BM_FILE_TYPE;
    if (!is_known(file) && (type == BM_FILE_REGULAR || type == BM_FILE_DIRECTORY))
        return -BM_EOPNOTSUPP;
    int error = is_known(file) ? bm_ext4_file_cut(fs, file, 0) : 0;
    return error ? error : bm_ext4_operate(fs, &file, 1, end_step, file);
}
