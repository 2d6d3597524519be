// Groups of blocks and their descriptors.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>

bool bm_ext4_is_inside(const struct ext4_fs *fs, uint64_t block, uint64_t count)
{
    return block > fs->super.first_data && block < fs->super.blocks && count <= fs->super.blocks - block;
}

bool bm_ext4_is_data(const struct ext4_fs *fs, uint64_t block, uint64_t count)
{
    const struct ext4_zones *zones = &fs->zones;
    if (!bm_ext4_is_inside(fs, block, count))
        return false;
    size_t low = 0, high = zones->count; // the first zone that ends behind the block
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zones->zones[middle].block + zones->zones[middle].count <= block)
            low = middle + 1;
        else
            high = middle;
    }
    return low == zones->count || zones->zones[low].block >= block + count;
}

static bool is_power(uint32_t number, uint32_t base)
{
    while (number > 1 && number % base == 0)
        number /= base;
    return number == 1;
}

bool bm_ext4_group_has_super(const struct ext4_super *super, uint32_t group)
{
    if (group == 0)
        return true;
    if (super->compat & EXT4_COMPAT_SPARSE_SUPER2)
        return group == super->backups[0] || group == super->backups[1];
    if (group == 1 || !(super->ro_compat & EXT4_RO_SPARSE_SUPER))
        return true;
    return is_power(group, 3) || is_power(group, 5) || is_power(group, 7);
}

// The block with a group's descriptor.
static uint64_t descriptor_block(const struct ext4_super *super, uint32_t group)
{
    uint32_t in_block = super->block_size / super->descriptor_size, index = group / in_block;
    if (index < super->first_meta_group)
        return (uint64_t)super->first_data + 1 + index;
    uint32_t first = index * in_block;
    return (uint64_t)super->first_data + (uint64_t)first * super->group_blocks +
           bm_ext4_group_has_super(super, first);
}

uint32_t bm_ext4_group_checksum(const struct ext4_fs *fs, uint32_t number, const uint8_t *at)
{
    static const uint8_t zeros[2];
    uint32_t size = fs->super.descriptor_size, behind = EXT4_G_CHECKSUM + 2;
    uint8_t word[4];
    ext4_put32(word, number);
    if (ext4_has_checksums(fs)) {
        uint32_t crc = bm_ext4_crc32c(fs->super.seed, word, sizeof word);
        crc = bm_ext4_crc32c(crc, at, EXT4_G_CHECKSUM);
        crc = bm_ext4_crc32c(crc, zeros, sizeof zeros);
        return bm_ext4_crc32c(crc, at + behind, size - behind) & 0xffff;
    }
    uint32_t crc = bm_ext4_crc16(0xffff, fs->super.uuid, sizeof fs->super.uuid);
    crc = bm_ext4_crc16(crc, word, sizeof word);
    crc = bm_ext4_crc16(crc, at, EXT4_G_CHECKSUM);
    return bm_ext4_crc16(crc, at + behind, size - behind);
}

static void parse(const struct ext4_fs *fs, const uint8_t *at, struct ext4_group *group)
{
    bool wide = fs->super.descriptor_size >= EXT4_G_SIZE_64;
    const uint8_t *high = at + EXT4_G_HIGH;
#define PLACE(field) ext4_get64(ext4_get32(at + (field)), wide ? ext4_get32(high + (field)) : 0)
#define COUNT(field) (ext4_get16(at + (field)) | (wide ? ext4_get16(at + field##_HIGH) << 16 : 0))
    *group = (struct ext4_group){.block_bitmap = PLACE(EXT4_G_BLOCK_BITMAP),
                                 .inode_bitmap = PLACE(EXT4_G_INODE_BITMAP),
                                 .inode_table = PLACE(EXT4_G_INODE_TABLE),
                                 .free_blocks = COUNT(EXT4_G_FREE_BLOCKS),
                                 .free_inodes = COUNT(EXT4_G_FREE_INODES),
                                 .directories = COUNT(EXT4_G_DIRECTORIES),
                                 .unused_inodes = COUNT(EXT4_G_UNUSED_INODES),
                                 .flags = ext4_get16(at + EXT4_G_FLAGS)};
#undef PLACE
#undef COUNT
}

static int check(const struct ext4_fs *fs, uint32_t number, const uint8_t *at, const struct ext4_group *group)
{
    uint64_t table = ((uint64_t)fs->super.group_inodes * fs->super.inode_size + fs->super.block_size - 1) >>
                     fs->super.block_bits;
    if (ext4_has_group_checksums(fs) &&
        bm_ext4_group_checksum(fs, number, at) != ext4_get16(at + EXT4_G_CHECKSUM))
        return bm_ext4_damaged(fs, "the checksum of group %lu is wrong", number);
    if (!bm_ext4_is_inside(fs, group->block_bitmap, 1) || !bm_ext4_is_inside(fs, group->inode_bitmap, 1) ||
        !bm_ext4_is_inside(fs, group->inode_table, table))
        return bm_ext4_damaged(fs, "group %lu has its tables in no place", number);
    if (group->free_blocks > fs->super.group_blocks || group->free_inodes > fs->super.group_inodes ||
        group->unused_inodes > fs->super.group_inodes || group->directories > fs->super.group_inodes)
        return bm_ext4_damaged(fs, "group %lu has wrong counts", number);
    return 0;
}

int bm_ext4_group_find(struct ext4_fs *fs, uint32_t number, struct ext4_buffer **buffer, uint8_t **at)
{
    uint32_t in_block = fs->super.block_size / fs->super.descriptor_size;
    int error = bm_ext4_buffer_get(fs, descriptor_block(&fs->super, number), buffer);
    if (!error)
        *at = (*buffer)->data + number % in_block * fs->super.descriptor_size;
    return error;
}

int bm_ext4_group_get(struct ext4_fs *fs, uint32_t number, struct ext4_group *group)
{
    struct ext4_buffer *buffer;
    uint8_t *at;
    int error = bm_ext4_group_find(fs, number, &buffer, &at);
    if (error)
        return error;
    parse(fs, at, group);
    error = check(fs, number, at, group);
    bm_ext4_buffer_put(fs, buffer);
    return error;
}

int bm_ext4_count_free(struct ext4_fs *fs, uint64_t *blocks, uint64_t *inodes)
{
    *blocks = *inodes = 0;
    for (uint32_t i = 0; i < fs->super.groups; i++) {
        struct ext4_group group;
        int error = bm_ext4_group_get(fs, i, &group);
        if (error)
            return error;
        *blocks += group.free_blocks;
        *inodes += group.free_inodes;
    }
    return 0;
}
