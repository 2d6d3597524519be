// Changing where a file's blocks are: more extents, blocks that are written now, a file's end.
// SPDX-License-Identifier: MIT
#include "ext4_extent.h"

enum { CUT_METADATA = 16 }; // blocks at once, each of which may be one that the operation changes

// --- Putting in ---

// Whether `next` can be told by the same entry as `before`.
static bool goes_on(const struct ext4_extent *before, const struct ext4_extent *next)
{
    uint64_t max = (uint64_t)EXT4_X_WRITTEN_MAX - before->unwritten;
    return before->first + before->count == next->first && before->block + before->count == next->block &&
           before->unwritten == next->unwritten && before->count + next->count <= max;
}

// Makes one of the leaf's entry at `index` and its next, where that can be.
static void merge(struct ext4_path *path, unsigned index)
{
    if (index + 1 >= bm_ext4_path_count(path, path->depth))
        return;
    uint8_t *entry = bm_ext4_path_entry(path, path->depth, index);
    struct ext4_extent before = bm_ext4_entry_read(entry), next = bm_ext4_entry_read(entry + EXT4_X_SIZE);
    if (!goes_on(&before, &next))
        return;
    before.count += next.count;
    bm_ext4_entry_write(entry, &before);
    bm_ext4_path_remove(path, path->depth, index + 1);
}

// Puts an extent where there is none, into a leaf that has room or a neighbour that it goes on.
static int leaf_insert(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path,
                       const struct ext4_extent *extent)
{
    unsigned leaf = path->depth, index = path->levels[leaf].index;
    uint32_t count = bm_ext4_path_count(path, leaf);
    if (count && ext4_get32(bm_ext4_path_entry(path, leaf, index)) < extent->first)
        index++;
    int error = bm_ext4_path_change(fs, path, leaf);
    if (error)
        return error;
    bm_ext4_path_insert(path, leaf, index);
    bm_ext4_entry_write(bm_ext4_path_entry(path, leaf, index), extent);
    merge(path, index);
    if (index)
        merge(path, index - 1);
    bm_ext4_path_changed(fs, inode, path, leaf);
    return index ? 0 : bm_ext4_path_keys(fs, inode, path);
}

int bm_ext4_extent_insert(struct ext4_fs *fs, struct ext4_inode *inode, const struct ext4_extent *extent)
{
    struct ext4_path path;
    int error = bm_ext4_path_get(fs, inode, (uint32_t)extent->first, &path);
    if (error)
        return error;
    unsigned leaf = path.depth, index = path.levels[leaf].index;
    uint8_t *entry = bm_ext4_path_entry(&path, leaf, index);
    struct ext4_extent before = {0};
    if (bm_ext4_path_count(&path, leaf))
        before = bm_ext4_entry_read(entry);
    if (before.count && goes_on(&before, extent)) { // how files grow
        error = bm_ext4_path_change(fs, &path, leaf);
        if (!error) {
            before.count += extent->count;
            bm_ext4_entry_write(entry, &before);
            merge(&path, index);
            bm_ext4_path_changed(fs, inode, &path, leaf);
        }
    } else {
        error = bm_ext4_path_room(fs, inode, &path, (uint32_t)extent->first);
        if (!error)
            error = leaf_insert(fs, inode, &path, extent);
    }
    bm_ext4_path_put(fs, &path);
    return error;
}

// --- Written ---

// What is before the middle of an extent that becomes written, and behind it.
static int convert_one(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path, uint32_t first,
                       uint32_t count)
{
    unsigned leaf = path->depth, index = path->levels[leaf].index;
    uint8_t *entry = bm_ext4_path_entry(path, leaf, index);
    struct ext4_extent whole = bm_ext4_entry_read(entry), left = whole, middle = whole, right = whole;
    left.count = first - whole.first;
    middle.first = first;
    middle.block += left.count;
    middle.count = count;
    middle.unwritten = false;
    right.first = (uint64_t)first + count;
    right.count = whole.first + whole.count - right.first;
    right.block += right.first - whole.first;
    int error = bm_ext4_path_change(fs, path, leaf);
    if (error)
        return error;
    struct ext4_extent before = {0};
    if (index && !left.count)
        before = bm_ext4_entry_read(entry - EXT4_X_SIZE);
    if (before.count && goes_on(&before, &middle)) { // how files grow
        before.count += count;
        bm_ext4_entry_write(entry - EXT4_X_SIZE, &before);
        bm_ext4_entry_write(entry, &right);
        if (!right.count)
            bm_ext4_path_remove(path, leaf, index);
        merge(path, index - 1);
        bm_ext4_path_changed(fs, inode, path, leaf);
        return 0;
    }
    bm_ext4_entry_write(entry, left.count ? &left : &middle);
    if (!left.count) {
        merge(path, index);
        if (index)
            merge(path, index - 1);
    }
    bm_ext4_path_changed(fs, inode, path, leaf);
    bm_ext4_path_put(fs, path);
    if (left.count)
        error = bm_ext4_extent_insert(fs, inode, &middle);
    return !error && right.count ? bm_ext4_extent_insert(fs, inode, &right) : error;
}

int bm_ext4_extent_convert(struct ext4_fs *fs, struct ext4_inode *inode, uint32_t first, uint32_t total)
{
    uint64_t at = first, end = (uint64_t)first + total;
    int error = 0;
    while (at < end && !error) {
        struct ext4_path path;
        struct ext4_extent extent;
        error = bm_ext4_extent_map(fs, inode, (uint32_t)at, &extent);
        if (error)
            break;
        uint64_t next = extent.first + extent.count;
        if (next > end)
            next = end;
        if (extent.unwritten && !(error = bm_ext4_path_get(fs, inode, (uint32_t)at, &path))) {
            error = convert_one(fs, inode, &path, (uint32_t)at, (uint32_t)(next - at));
            bm_ext4_path_put(fs, &path);
        }
        at = next;
    }
    return error;
}

// --- The end ---

// Empty nodes go, up to the root.
static int nodes_free(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path)
{
    int error = 0;
    for (unsigned level = path->depth; level && !bm_ext4_path_count(path, level) && !error; level--) {
        error = bm_ext4_path_change(fs, path, level - 1);
        if (!error)
            error = bm_ext4_blocks_free(fs, path->levels[level].buffer->block, 1, true);
        if (error)
            break;
        inode->blocks -= fs->super.block_size >> 9;
        bm_ext4_path_remove(path, level - 1, path->levels[level - 1].index);
        bm_ext4_path_changed(fs, inode, path, level - 1);
    }
    if (!bm_ext4_path_count(path, 0))
        ext4_put16(inode->block + EXT4_X_DEPTH, 0);
    return error;
}

int bm_ext4_extent_cut(struct ext4_fs *fs, struct ext4_inode *inode, uint64_t from, bool metadata, bool *more)
{
    struct ext4_path path;
    *more = false;
    int error = bm_ext4_path_get(fs, inode, UINT32_MAX, &path);
    if (error)
        return error;
    unsigned leaf = path.depth, index = path.levels[leaf].index;
    uint8_t *entry = bm_ext4_path_entry(&path, leaf, index);
    struct ext4_extent extent = {0};
    if (bm_ext4_path_count(&path, leaf))
        extent = bm_ext4_entry_read(entry);
    uint64_t end = extent.first + extent.count, cut = from > extent.first ? from : extent.first;
    if (extent.count && cut < end) {
        uint64_t max = metadata ? CUT_METADATA : fs->super.group_blocks;
        if (end - cut > max)
            cut = end - max;
        error = bm_ext4_path_change(fs, &path, leaf);
        if (!error)
            error =
                bm_ext4_blocks_free(fs, extent.block + (cut - extent.first), (uint32_t)(end - cut), metadata);
        inode->blocks -= (end - cut) << (fs->super.block_bits - 9);
        extent.count = cut - extent.first;
        bm_ext4_entry_write(entry, &extent);
        if (!extent.count)
            bm_ext4_path_remove(&path, leaf, index);
        bm_ext4_path_changed(fs, inode, &path, leaf);
        if (!error)
            error = nodes_free(fs, inode, &path);
        *more = true;
    }
    bm_ext4_path_put(fs, &path);
    return error;
}
