// Where a file's blocks are: extents, or the block maps of ext2 and ext3.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>

enum { DIRECT = 12, LEVELS = 3, WORD = 4 };

// What is side by side in a table of `count` words from `index` on, as blocks or as a hole.
static int run(struct ext4_fs *fs, const uint8_t *table, uint32_t index, uint32_t count, uint64_t at,
               struct ext4_extent *extent)
{
    uint32_t block = ext4_get32(table + WORD * index);
    uint64_t length = 1;
    while (index + length < count &&
           ext4_get32(table + WORD * (index + length)) == (block ? block + length : 0))
        length++;
    if (block && !bm_ext4_is_data(fs, block, length))
        return bm_ext4_damaged(fs, "a file has block %lu, which is not to be had", block);
    *extent = (struct ext4_extent){.first = at, .count = length, .block = block, .hole = !block};
    return 0;
}

// Down a tree of `level` tables; `index` is the block's in it.
static int descend(struct ext4_fs *fs, uint32_t root, unsigned level, uint64_t index, uint64_t at,
                   struct ext4_extent *extent)
{
    unsigned bits = fs->super.block_bits - 2;
    uint32_t block = root;
    for (; level; level--) {
        uint64_t span = 1ull << bits * (level - 1), rest = index % span;
        if (!block) {
            *extent = (struct ext4_extent){.first = at, .count = (span << bits) - index, .hole = true};
            return 0;
        }
        if (!bm_ext4_is_data(fs, block, 1))
            return bm_ext4_damaged(fs, "a file has a table in block %lu, which is not to be had", block);
        struct ext4_buffer *buffer;
        int error = bm_ext4_buffer_get(fs, block, &buffer);
        if (error)
            return error;
        block = ext4_get32(buffer->data + WORD * (index / span));
        if (level == 1)
            error = run(fs, buffer->data, (uint32_t)index, 1u << bits, at, extent);
        bm_ext4_buffer_put(fs, buffer);
        if (level == 1)
            return error;
        if (!block) {
            *extent = (struct ext4_extent){.first = at, .count = span - rest, .hole = true};
            return 0;
        }
        index = rest;
    }
    return -BM_EIO;
}

int bm_ext4_map(struct ext4_fs *fs, const struct ext4_inode *inode, uint64_t at, struct ext4_extent *extent)
{
    if (at > UINT32_MAX)
        return -BM_EFBIG;
    if (inode->flags & EXT4_INODE_EXTENTS)
        return bm_ext4_extent_map(fs, inode, (uint32_t)at, extent);
    if (at < DIRECT)
        return run(fs, inode->block, (uint32_t)at, DIRECT, at, extent);
    uint64_t index = at - DIRECT;
    unsigned bits = fs->super.block_bits - 2;
    for (unsigned level = 1; level <= LEVELS; level++) {
        uint64_t span = 1ull << bits * level;
        if (index < span)
            return descend(fs, ext4_get32(inode->block + WORD * (DIRECT + level - 1)), level, index, at,
                           extent);
        index -= span;
    }
    return -BM_EFBIG;
}
