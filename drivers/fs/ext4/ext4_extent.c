// Extent trees: where a file's blocks are.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>

// Blocks of the file that a node may tell of.
struct range {
    uint64_t first, end;
};

static uint32_t first_of(const uint8_t *node, unsigned index)
{
    return ext4_get32(node + EXT4_X_SIZE * (index + 1) + EXT4_X_FIRST);
}

static uint64_t below(const uint8_t *node, unsigned index)
{
    const uint8_t *entry = node + EXT4_X_SIZE * (index + 1);
    return ext4_get64(ext4_get32(entry + EXT4_X_BELOW), ext4_get16(entry + EXT4_X_BELOW_HIGH));
}

static struct ext4_extent extent_of(const uint8_t *node, unsigned index)
{
    const uint8_t *entry = node + EXT4_X_SIZE * (index + 1);
    uint32_t count = ext4_get16(entry + EXT4_X_LENGTH);
    bool unwritten = count > EXT4_X_WRITTEN_MAX;
    return (struct ext4_extent){
        .first = ext4_get32(entry + EXT4_X_FIRST),
        .count = unwritten ? count - EXT4_X_WRITTEN_MAX : count,
        .block = ext4_get64(ext4_get32(entry + EXT4_X_LOW), ext4_get16(entry + EXT4_X_HIGH)),
        .hole = unwritten,
        .unwritten = unwritten};
}

// A node of `size` bytes: all of its entries, in their order and within its bounds.
static bool is_right(const struct ext4_fs *fs, const uint8_t *node, uint32_t size, uint32_t depth,
                     struct range range)
{
    uint32_t count = ext4_get16(node + EXT4_X_COUNT), max = ext4_get16(node + EXT4_X_MAX);
    if (ext4_get16(node) != EXT4_X_MAGIC || count > max || max > size / EXT4_X_SIZE - 1 ||
        ext4_get16(node + EXT4_X_DEPTH) != depth || (depth && !count))
        return false;
    uint64_t next = range.first;
    for (uint32_t i = 0; i < count; i++) {
        if (depth) {
            if (first_of(node, i) < next || !bm_ext4_is_data(fs, below(node, i), 1))
                return false;
            next = (uint64_t)first_of(node, i) + 1;
            continue;
        }
        struct ext4_extent extent = extent_of(node, i);
        if (!extent.count || extent.first < next || !bm_ext4_is_data(fs, extent.block, extent.count))
            return false;
        next = extent.first + extent.count;
    }
    return next <= range.end;
}

static bool checksum_is_right(const struct ext4_fs *fs, const struct ext4_inode *inode, const uint8_t *node)
{
    uint32_t tail = EXT4_X_SIZE * (ext4_get16(node + EXT4_X_MAX) + 1u);
    return !ext4_has_checksums(fs) || (tail <= fs->super.block_size - 4 &&
                                       bm_ext4_crc32c(inode->seed, node, tail) == ext4_get32(node + tail));
}

// The last entry that does not begin behind `at`; the first one if all do.
static unsigned search(const uint8_t *node, uint32_t at)
{
    unsigned low = 0, high = ext4_get16(node + EXT4_X_COUNT);
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (first_of(node, middle) <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// In a leaf, whose range ends at range.end: the extent, or the hole.
static void find_in_leaf(const uint8_t *node, uint32_t at, struct range range, struct ext4_extent *extent)
{
    unsigned count = ext4_get16(node + EXT4_X_COUNT), index = count ? search(node, at) : 0;
    uint64_t hole = at, end = range.end;
    if (count) {
        *extent = extent_of(node, index);
        if (extent->first <= at && at - extent->first < extent->count)
            return;
        bool before = extent->first > at;
        hole = before ? at : extent->first + extent->count;
        if (before)
            end = extent->first;
        else if (index + 1 < count)
            end = first_of(node, index + 1);
    }
    *extent = (struct ext4_extent){.first = hole, .count = end - hole, .hole = true};
}

int bm_ext4_extent_node(struct ext4_fs *fs, const struct ext4_inode *inode, uint64_t block, uint32_t depth,
                        uint64_t first, uint64_t end, struct ext4_buffer **buffer)
{
    int error = bm_ext4_buffer_get(fs, block, buffer);
    if (error)
        return error;
    struct ext4_buffer *found = *buffer;
    const uint8_t *node = found->data;
    if (found->checked & EXT4_ROLE_EXTENTS && found->checked_depth == depth &&
        found->checked_first == first && found->checked_end == end)
        return 0;
    bool right = is_right(fs, node, fs->super.block_size, depth, (struct range){first, end}) &&
                 (found->checked & EXT4_ROLE_EXTENTS || checksum_is_right(fs, inode, node));
    if (right) {
        found->checked |= EXT4_ROLE_EXTENTS;
        found->checked_depth = depth;
        found->checked_first = first;
        found->checked_end = end;
        return 0;
    }
    bm_ext4_buffer_put(fs, *buffer);
    *buffer = NULL;
    return bm_ext4_damaged(fs, "block %lu is no node of extents", block);
}

int bm_ext4_extent_map(struct ext4_fs *fs, const struct ext4_inode *inode, uint32_t at,
                       struct ext4_extent *extent)
{
    struct range range = {0, (uint64_t)UINT32_MAX + 1};
    struct ext4_buffer *buffer = NULL;
    const uint8_t *node = inode->block;
    uint32_t depth = ext4_get16(node + EXT4_X_DEPTH);
    if (depth > EXT4_X_DEPTH_MAX || !is_right(fs, node, sizeof inode->block, depth, range))
        return bm_ext4_damaged(fs, "the extents of inode %lu are wrong", inode->number);
    while (depth) {
        unsigned index = search(node, at);
        uint64_t block = below(node, index);
        range.first = first_of(node, index);
        if (index + 1u < ext4_get16(node + EXT4_X_COUNT))
            range.end = first_of(node, index + 1);
        bm_ext4_buffer_put(fs, buffer);
        if (at < range.first) { // before all extents
            *extent = (struct ext4_extent){.first = at, .count = range.first - at, .hole = true};
            return 0;
        }
        int error = bm_ext4_extent_node(fs, inode, block, --depth, range.first, range.end, &buffer);
        if (error)
            return error;
        node = buffer->data;
    }
    find_in_leaf(node, at, range, extent);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}
