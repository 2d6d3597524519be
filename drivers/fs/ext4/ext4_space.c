// Groups while they are changed: bitmaps, made when they were not initialised, descriptors, the superblock.
// SPDX-License-Identifier: MIT
#include "ext4_allocate.h"

#include <baremetal/error.h>

uint32_t bm_ext4_space_size(const struct ext4_fs *fs, uint32_t number)
{
    uint64_t left = fs->super.blocks - fs->super.first_data - (uint64_t)number * fs->super.group_blocks;
    return left < fs->super.group_blocks ? (uint32_t)left : fs->super.group_blocks;
}

int bm_ext4_super_change(struct ext4_fs *fs, struct ext4_buffer **buffer, uint8_t **super)
{
    uint32_t size = fs->super.block_size;
    int error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / size, buffer);
    if (error)
        return error;
    error = bm_ext4_buffer_change(fs, *buffer, EXT4_ROLE_SUPER);
    if (error)
        bm_ext4_buffer_put(fs, *buffer);
    *super = (*buffer)->data + EXT4_SUPER_OFFSET % size;
    return error;
}

void bm_ext4_super_put(struct ext4_fs *fs, struct ext4_buffer *buffer, uint8_t *super)
{
    if (ext4_has_checksums(fs))
        ext4_put32(super + EXT4_S_CHECKSUM, bm_ext4_crc32c(~0u, super, EXT4_S_CHECKSUM));
    bm_ext4_buffer_put(fs, buffer);
}

int bm_ext4_space_get(struct ext4_fs *fs, uint32_t number, struct ext4_space *space)
{
    *space = (struct ext4_space){.number = number};
    int error = bm_ext4_group_get(fs, number, &space->group);
    return error ? error : bm_ext4_group_find(fs, number, &space->descriptor, &space->at);
}

// --- Bitmaps ---

static void set(uint8_t *bits, uint64_t from, uint64_t end)
{
    for (; from < end; from++)
        bits[from / 8] |= (uint8_t)(1u << from % 8);
}

// Sets those of `count` blocks from `block` on that are in the group.
static void set_blocks(const struct ext4_fs *fs, uint32_t number, uint8_t *bits, uint64_t block,
                       uint64_t count)
{
    uint64_t first = fs->super.first_data + (uint64_t)number * fs->super.group_blocks;
    uint64_t end = first + bm_ext4_space_size(fs, number);
    uint64_t from = block < first ? first : block, to = block + count < end ? block + count : end;
    if (from < to)
        set(bits, from - first, to - first);
}

uint64_t bm_ext4_group_head(const struct ext4_fs *fs, const struct ext4_buffer *super_block, uint32_t number)
{
    const struct ext4_super *super = &fs->super;
    const uint8_t *bytes = super_block->data + EXT4_SUPER_OFFSET % super->block_size;
    uint32_t in_block = super->block_size / super->descriptor_size, index = number / in_block;
    bool has_super = bm_ext4_group_has_super(super, number);
    if (index >= super->first_meta_group) {
        uint32_t in_meta = number % in_block; // the first, second and last of them have a copy each
        return has_super + (in_meta == 0 || in_meta == 1 || in_meta == in_block - 1);
    }
    uint32_t blocks = (super->groups + in_block - 1) / in_block;
    if (blocks > super->first_meta_group)
        blocks = super->first_meta_group;
    return has_super ? 1 + blocks + ext4_get16(bytes + EXT4_S_RESERVED_TABLE) : 0;
}

static uint64_t table_size(const struct ext4_fs *fs)
{
    return ((uint64_t)fs->super.group_inodes * fs->super.inode_size + fs->super.block_size - 1) >>
           fs->super.block_bits;
}

// What a group that was never used has: its own tables alone, as in Linux.
static int blocks_make(struct ext4_fs *fs, struct ext4_space *space)
{
    struct ext4_buffer *super;
    const struct ext4_group *group = &space->group;
    int error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / fs->super.block_size, &super);
    if (error)
        return error;
    uint64_t head = bm_ext4_group_head(fs, super, space->number);
    bm_ext4_buffer_put(fs, super);
    if (head > bm_ext4_space_size(fs, space->number))
        return bm_ext4_damaged(fs, "group %lu is smaller than what it begins with", space->number);
    error = bm_ext4_buffer_new(fs, group->block_bitmap, EXT4_ROLE_BLOCK_BITMAP, &space->blocks);
    if (error)
        return error;
    uint8_t *bits = space->blocks->data;
    set(bits, 0, head);
    set_blocks(fs, space->number, bits, group->block_bitmap, 1);
    set_blocks(fs, space->number, bits, group->inode_bitmap, 1);
    set_blocks(fs, space->number, bits, group->inode_table, table_size(fs));
    set(bits, bm_ext4_space_size(fs, space->number), 8ull * fs->super.block_size);
    space->blocks->checked = EXT4_ROLE_BLOCK_BITMAP;
    space->group.flags &= ~(uint32_t)EXT4_GROUP_BLOCKS_UNUSED;
    return 0;
}

static int inodes_make(struct ext4_fs *fs, struct ext4_space *space)
{
    int error = bm_ext4_buffer_new(fs, space->group.inode_bitmap, EXT4_ROLE_INODE_BITMAP, &space->inodes);
    if (error)
        return error;
    set(space->inodes->data, fs->super.group_inodes, 8ull * fs->super.block_size);
    space->inodes->checked = EXT4_ROLE_INODE_BITMAP;
    space->group.flags &= ~(uint32_t)EXT4_GROUP_INODES_UNUSED;
    return 0;
}

static uint32_t bitmap_checksum(const struct ext4_fs *fs, const struct ext4_buffer *bitmap, uint32_t bits)
{
    return bm_ext4_crc32c(fs->super.seed, bitmap->data, bits / 8);
}

// A checksum that is 16 bits wide in a small descriptor.
static bool is_same(const struct ext4_fs *fs, const uint8_t *at, unsigned low, unsigned high, uint32_t crc)
{
    if (fs->super.descriptor_size < EXT4_G_SIZE_64)
        return ext4_get16(at + low) == (crc & 0xffff);
    return (ext4_get16(at + low) | ext4_get16(at + high) << 16) == crc;
}

static int bitmap_get(struct ext4_fs *fs, const struct ext4_space *space, bool inodes,
                      struct ext4_buffer **bitmap)
{
    uint32_t role = inodes ? EXT4_ROLE_INODE_BITMAP : EXT4_ROLE_BLOCK_BITMAP;
    int error =
        bm_ext4_buffer_get(fs, inodes ? space->group.inode_bitmap : space->group.block_bitmap, bitmap);
    if (error || (*bitmap)->checked & role)
        return error;
    uint32_t crc = bitmap_checksum(fs, *bitmap, inodes ? fs->super.group_inodes : fs->super.group_blocks);
    if (ext4_has_checksums(fs) &&
        !is_same(fs, space->at, inodes ? EXT4_G_INODE_BITMAP_CHECKSUM : EXT4_G_BLOCK_BITMAP_CHECKSUM,
                 inodes ? EXT4_G_INODE_BITMAP_CHECKSUM_HIGH : EXT4_G_BLOCK_BITMAP_CHECKSUM_HIGH, crc)) {
        bm_ext4_buffer_put(fs, *bitmap);
        *bitmap = NULL;
        return bm_ext4_damaged(fs, "a bitmap of group %lu is damaged", space->number);
    }
    (*bitmap)->checked |= role;
    return 0;
}

int bm_ext4_space_blocks(struct ext4_fs *fs, struct ext4_space *space)
{
    bool unused = ext4_has_group_checksums(fs) && space->group.flags & EXT4_GROUP_BLOCKS_UNUSED;
    int error = 0;
    if (!space->blocks)
        error = unused ? blocks_make(fs, space) : bitmap_get(fs, space, false, &space->blocks);
    return error ? error : bm_ext4_bitmap_change(fs, space->blocks, EXT4_ROLE_BLOCK_BITMAP);
}

int bm_ext4_space_inodes(struct ext4_fs *fs, struct ext4_space *space)
{
    bool unused = ext4_has_group_checksums(fs) && space->group.flags & EXT4_GROUP_INODES_UNUSED;
    int error = 0;
    if (!space->inodes)
        error = unused ? inodes_make(fs, space) : bitmap_get(fs, space, true, &space->inodes);
    if (!error && unused) // as in Linux: who has inodes has a bitmap of blocks
        error = bm_ext4_space_blocks(fs, space);
    return error ? error : bm_ext4_bitmap_change(fs, space->inodes, EXT4_ROLE_INODE_BITMAP);
}

// --- Descriptors ---

static void checksum_put(const struct ext4_fs *fs, uint8_t *at, unsigned low, unsigned high, uint32_t crc)
{
    ext4_put16(at + low, crc);
    if (fs->super.descriptor_size >= EXT4_G_SIZE_64)
        ext4_put16(at + high, crc >> 16);
}

static void descriptor_put(struct ext4_fs *fs, struct ext4_space *space)
{
    const struct ext4_group *group = &space->group;
    uint8_t *at = space->at;
#define COUNT(field, value) checksum_put(fs, at, field, field##_HIGH, value) // as wide as a checksum
    COUNT(EXT4_G_FREE_BLOCKS, group->free_blocks);
    COUNT(EXT4_G_FREE_INODES, group->free_inodes);
    COUNT(EXT4_G_DIRECTORIES, group->directories);
    COUNT(EXT4_G_UNUSED_INODES, group->unused_inodes);
    ext4_put16(at + EXT4_G_FLAGS, group->flags);
    if (ext4_has_checksums(fs) && space->blocks)
        COUNT(EXT4_G_BLOCK_BITMAP_CHECKSUM, bitmap_checksum(fs, space->blocks, fs->super.group_blocks));
    if (ext4_has_checksums(fs) && space->inodes)
        COUNT(EXT4_G_INODE_BITMAP_CHECKSUM, bitmap_checksum(fs, space->inodes, fs->super.group_inodes));
#undef COUNT
    if (ext4_has_group_checksums(fs))
        ext4_put16(at + EXT4_G_CHECKSUM, bm_ext4_group_checksum(fs, space->number, at));
}

int bm_ext4_space_put(struct ext4_fs *fs, struct ext4_space *space, int error)
{
    if (!error)
        error = bm_ext4_buffer_change(fs, space->descriptor, EXT4_ROLE_GROUPS);
    if (!error)
        descriptor_put(fs, space);
    bm_ext4_buffer_put(fs, space->descriptor);
    bm_ext4_buffer_put(fs, space->blocks);
    bm_ext4_buffer_put(fs, space->inodes);
    *space = (struct ext4_space){0};
    return error;
}
