// Allocating and freeing blocks and inodes.
// SPDX-License-Identifier: MIT
//
// A block that the running transaction has freed is not given away before it is committed: until then a crash
// brings back who had it. So the search looks at the bitmap of the last commit, too.
#include "ext4_allocate.h"

#include <baremetal/error.h>

static uint8_t used(const struct ext4_buffer *bitmap, uint32_t byte)
{
    return bitmap->data[byte] | (bitmap->committed ? bitmap->committed[byte] : 0);
}

static bool is_used(const struct ext4_buffer *bitmap, uint32_t bit)
{
    return used(bitmap, bit / 8) >> bit % 8 & 1;
}

static uint32_t find_free(const struct ext4_buffer *bitmap, uint32_t from, uint32_t end)
{
    while (from < end && is_used(bitmap, from))
        from += from % 8 == 0 && used(bitmap, from / 8) == 0xff ? 8 : 1;
    return from < end ? from : end;
}

// Free bits side by side in [from, end): those at `from`, or `wanted` of them, or as many as there are.
// Returns how many, from *first on.
static uint32_t find_run(const struct ext4_buffer *bitmap, uint32_t from, uint32_t end, uint32_t wanted,
                         uint32_t *first)
{
    uint32_t longest = 0;
    for (uint32_t at = find_free(bitmap, from, end), count; at < end;
         at = find_free(bitmap, at + count, end)) {
        count = 1;
        while (count < wanted && at + count < end && !is_used(bitmap, at + count))
            count++;
        if (count > longest) {
            longest = count;
            *first = at;
        }
        if (longest == wanted || at == from)
            break;
    }
    return longest;
}

static void bits_set(uint8_t *bits, uint32_t from, uint32_t count, bool value)
{
    for (uint32_t bit = from; bit < from + count; bit++)
        bits[bit / 8] = (uint8_t)(value ? bits[bit / 8] | 1u << bit % 8 : bits[bit / 8] & ~(1u << bit % 8));
}

// --- The superblock's counts ---

static uint64_t free_blocks(const struct ext4_fs *fs, const uint8_t *super)
{
    bool wide = fs->super.incompat & EXT4_INCOMPAT_64BIT;
    return ext4_get64(ext4_get32(super + EXT4_S_FREE_BLOCKS),
                      wide ? ext4_get32(super + EXT4_S_FREE_BLOCKS_HIGH) : 0);
}

// Adds to the counts of free blocks and inodes.
static int count(struct ext4_fs *fs, int64_t blocks, int32_t inodes)
{
    struct ext4_buffer *buffer;
    uint8_t *super;
    int error = bm_ext4_super_change(fs, &buffer, &super);
    if (error)
        return error;
    uint64_t free = free_blocks(fs, super) + (uint64_t)blocks;
    ext4_put32(super + EXT4_S_FREE_BLOCKS, (uint32_t)free);
    if (fs->super.incompat & EXT4_INCOMPAT_64BIT)
        ext4_put32(super + EXT4_S_FREE_BLOCKS_HIGH, (uint32_t)(free >> 32));
    ext4_put32(super + EXT4_S_FREE_INODES, ext4_get32(super + EXT4_S_FREE_INODES) + (uint32_t)inodes);
    bm_ext4_super_put(fs, buffer, super);
    return 0;
}

static int counts_step(struct ext4_fs *fs, void *arg)
{
    struct ext4_buffer *buffer;
    uint8_t *super;
    uint64_t blocks, inodes;
    (void)arg;
    int error = bm_ext4_count_free(fs, &blocks, &inodes);
    if (!error)
        error = bm_ext4_super_change(fs, &buffer, &super);
    if (error)
        return error;
    error = count(fs, (int64_t)(blocks - free_blocks(fs, super)),
                  (int32_t)((uint32_t)inodes - ext4_get32(super + EXT4_S_FREE_INODES)));
    bm_ext4_super_put(fs, buffer, super);
    return error;
}

int bm_ext4_counts_set(struct ext4_fs *fs)
{
    uint32_t size = fs->super.block_size;
    struct ext4_buffer *buffer;
    uint64_t blocks, inodes;
    int error = bm_ext4_count_free(fs, &blocks, &inodes);
    if (!error)
        error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / size, &buffer);
    if (error)
        return error;
    const uint8_t *super = buffer->data + EXT4_SUPER_OFFSET % size;
    bool same = free_blocks(fs, super) == blocks && ext4_get32(super + EXT4_S_FREE_INODES) == inodes;
    bm_ext4_buffer_put(fs, buffer);
    return same ? 0 : bm_ext4_operate(fs, NULL, 0, counts_step, NULL);
}

// How many of `wanted` blocks there are; data leaves the reserved ones to what finds it.
static int available(struct ext4_fs *fs, bool data, uint32_t *wanted)
{
    struct ext4_buffer *buffer;
    uint32_t size = fs->super.block_size;
    int error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / size, &buffer);
    if (error)
        return error;
    const uint8_t *super = buffer->data + EXT4_SUPER_OFFSET % size;
    bool wide = fs->super.incompat & EXT4_INCOMPAT_64BIT;
    uint64_t free = free_blocks(fs, super), reserved = 0;
    if (data)
        reserved = ext4_get64(ext4_get32(super + EXT4_S_RESERVED),
                              wide ? ext4_get32(super + EXT4_S_RESERVED_HIGH) : 0);
    bm_ext4_buffer_put(fs, buffer);
    if (free <= reserved)
        return -BM_ENOSPC;
    if (free - reserved < *wanted)
        *wanted = (uint32_t)(free - reserved);
    return 0;
}

int bm_ext4_blocks_fit(struct ext4_fs *fs, uint64_t wanted)
{
    uint32_t there = wanted < UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
    int error = wanted ? available(fs, true, &there) : 0;
    return !error && there < wanted ? -BM_ENOSPC : error;
}

// --- Blocks ---

// In one group, from bit `from` on and then from its beginning: up to `wanted` blocks. *taken 0: none.
static int allocate_in(struct ext4_fs *fs, uint32_t number, uint32_t from, uint32_t wanted, uint64_t *block,
                       uint32_t *taken)
{
    struct ext4_space space;
    *taken = 0;
    int error = bm_ext4_space_get(fs, number, &space);
    if (error)
        return error;
    if (space.group.free_blocks == 0) {
        bm_ext4_buffer_put(fs, space.descriptor);
        return 0;
    }
    error = bm_ext4_space_blocks(fs, &space);
    uint32_t size = bm_ext4_space_size(fs, number), first = 0;
    if (!error)
        *taken = find_run(space.blocks, from, size, wanted, &first);
    if (!error && !*taken)
        *taken = find_run(space.blocks, 0, from, wanted, &first);
    if (!error && *taken > space.group.free_blocks)
        error = bm_ext4_damaged(fs, "group %lu has more free blocks than it says", number);
    *block = fs->super.first_data + (uint64_t)number * fs->super.group_blocks + first;
    if (!error && *taken && !bm_ext4_is_data(fs, *block, *taken))
        error = bm_ext4_damaged(fs, "block %lu is free and is a table's", *block);
    if (!error && *taken) {
        bits_set(space.blocks->data, first, *taken, true);
        space.group.free_blocks -= *taken;
    }
    return bm_ext4_space_put(fs, &space, error);
}

int bm_ext4_blocks_allocate(struct ext4_fs *fs, uint64_t goal, bool data, uint64_t *block, uint32_t *wanted)
{
    int error = available(fs, data, wanted);
    if (error)
        return error;
    if (goal <= fs->super.first_data || goal >= fs->super.blocks)
        goal = fs->super.first_data + 1;
    goal -= fs->super.first_data;
    uint32_t start = (uint32_t)(goal / fs->super.group_blocks);
    uint32_t from = (uint32_t)(goal % fs->super.group_blocks), taken = 0;
    for (uint32_t i = 0; i < fs->super.groups && !taken; i++) {
        uint32_t number = (uint32_t)(((uint64_t)start + i) % fs->super.groups);
        error = allocate_in(fs, number, i ? 0 : from, *wanted, block, &taken);
        if (error)
            return error;
    }
    if (!taken)
        return -BM_ENOSPC;
    *wanted = taken;
    return count(fs, -(int64_t)taken, 0);
}

static int free_in(struct ext4_fs *fs, uint32_t number, uint32_t first, uint64_t block, uint32_t count)
{
    struct ext4_space space;
    int error = bm_ext4_space_get(fs, number, &space);
    if (error)
        return error;
    error = bm_ext4_space_blocks(fs, &space);
    for (uint32_t bit = first; bit < first + count && !error; bit++)
        if (!(space.blocks->data[bit / 8] >> bit % 8 & 1))
            error = bm_ext4_damaged(fs, "block %lu is freed and is free", block + bit - first);
    if (!error) {
        bits_set(space.blocks->data, first, count, false);
        space.group.free_blocks += count;
    }
    return bm_ext4_space_put(fs, &space, error);
}

int bm_ext4_blocks_free(struct ext4_fs *fs, uint64_t block, uint32_t total, bool metadata)
{
    if (!bm_ext4_is_data(fs, block, total))
        return bm_ext4_damaged(fs, "block %lu is freed and is a table's or beyond the end", block);
    int error = 0;
    for (uint32_t i = 0; i < total && metadata && !error; i++)
        error = bm_ext4_buffer_forget(fs, block + i);
    for (uint32_t done = 0, part; done < total && !error; done += part) {
        uint64_t at = block + done - fs->super.first_data;
        uint32_t first = (uint32_t)(at % fs->super.group_blocks);
        part = fs->super.group_blocks - first;
        if (part > total - done)
            part = total - done;
        error = free_in(fs, (uint32_t)(at / fs->super.group_blocks), first, block + done, part);
    }
    if (!error)
        fs->transactions->frees = true;
    return error ? error : count(fs, total, 0);
}

// --- Inodes ---

static int inode_take(struct ext4_fs *fs, struct ext4_space *space, bool directory, uint32_t *index)
{
    int error = bm_ext4_space_inodes(fs, space);
    if (error)
        return error;
    uint32_t all = fs->super.group_inodes, reserved = space->number ? 0 : fs->super.first_inode - 1;
    *index = find_free(space->inodes, reserved, all);
    if (*index == all)
        return 0;
    bits_set(space->inodes->data, *index, 1, true);
    space->group.free_inodes--;
    space->group.directories += directory;
    if (ext4_has_group_checksums(fs) && *index >= all - space->group.unused_inodes)
        space->group.unused_inodes = all - *index - 1;
    return 0;
}

int bm_ext4_inode_allocate(struct ext4_fs *fs, uint32_t near, bool directory, uint32_t *number)
{
    uint32_t start = (near - 1) / fs->super.group_inodes;
    for (uint32_t i = 0; i < fs->super.groups; i++) {
        struct ext4_space space;
        uint32_t group = (uint32_t)(((uint64_t)start + i) % fs->super.groups), index = 0;
        int error = bm_ext4_space_get(fs, group, &space);
        if (error)
            return error;
        if (space.group.free_inodes == 0) {
            bm_ext4_buffer_put(fs, space.descriptor);
            continue;
        }
        error = bm_ext4_space_put(fs, &space, inode_take(fs, &space, directory, &index));
        if (error)
            return error;
        if (index == fs->super.group_inodes)
            continue;
        *number = group * fs->super.group_inodes + index + 1;
        return count(fs, 0, -1);
    }
    return -BM_ENOSPC;
}

int bm_ext4_inode_free(struct ext4_fs *fs, uint32_t number, bool directory)
{
    struct ext4_space space;
    uint32_t index = (number - 1) % fs->super.group_inodes;
    int error = bm_ext4_space_get(fs, (number - 1) / fs->super.group_inodes, &space);
    if (error)
        return error;
    error = bm_ext4_space_inodes(fs, &space);
    if (!error && (number < fs->super.first_inode || !(space.inodes->data[index / 8] >> index % 8 & 1)))
        error = bm_ext4_damaged(fs, "inode %lu is freed and is free", number);
    if (!error) {
        bits_set(space.inodes->data, index, 1, false);
        space.group.free_inodes++;
        space.group.directories -= directory;
        fs->transactions->frees = true;
    }
    error = bm_ext4_space_put(fs, &space, error);
    return error ? error : count(fs, 0, 1);
}
