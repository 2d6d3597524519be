// Inodes of ext4, and what links say.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { CHECKSUM_SIZE = 2, EPOCH_BITS = 2, EPOCH_MASK = 3 };

static const int64_t SECOND = 1000000000;

bool bm_ext4_inode_has(const struct ext4_fs *fs, const uint8_t *at, unsigned field)
{
    return fs->super.inode_size > EXT4_I_SIZE_OLD &&
           EXT4_I_SIZE_OLD + ext4_get16(at + EXT4_I_EXTRA) >= field + 4;
}

// Seconds, of which the extra word has two bits more, and its nanoseconds.
static int64_t time_get(const struct ext4_fs *fs, const uint8_t *at, unsigned field, unsigned extra_field)
{
    int64_t seconds = (int32_t)ext4_get32(at + field);
    uint32_t extra = bm_ext4_inode_has(fs, at, extra_field) ? ext4_get32(at + extra_field) : 0;
    uint32_t nanoseconds = extra >> EPOCH_BITS;
    seconds += (int64_t)(extra & EPOCH_MASK) << 32;
    if (seconds > INT64_MAX / SECOND - 1) // until 2262
        seconds = INT64_MAX / SECOND - 1;
    return seconds * SECOND + (nanoseconds < SECOND ? nanoseconds : 0);
}

uint32_t bm_ext4_inode_checksum(const struct ext4_fs *fs, const uint8_t *at, uint32_t seed)
{
    static const uint8_t zeros[CHECKSUM_SIZE];
    uint32_t size = fs->super.inode_size, behind = EXT4_I_CHECKSUM + CHECKSUM_SIZE;
    uint32_t crc = bm_ext4_crc32c(seed, at, EXT4_I_CHECKSUM);
    crc = bm_ext4_crc32c(crc, zeros, CHECKSUM_SIZE);
    crc = bm_ext4_crc32c(crc, at + behind, EXT4_I_SIZE_OLD - behind);
    if (size == EXT4_I_SIZE_OLD)
        return crc;
    crc = bm_ext4_crc32c(crc, at + EXT4_I_SIZE_OLD, EXT4_I_CHECKSUM_HIGH - EXT4_I_SIZE_OLD);
    if (!bm_ext4_inode_has(fs, at, EXT4_I_CHECKSUM_HIGH - CHECKSUM_SIZE))
        return bm_ext4_crc32c(crc, at + EXT4_I_CHECKSUM_HIGH, size - EXT4_I_CHECKSUM_HIGH);
    behind = EXT4_I_CHECKSUM_HIGH + CHECKSUM_SIZE;
    crc = bm_ext4_crc32c(crc, zeros, CHECKSUM_SIZE);
    return bm_ext4_crc32c(crc, at + behind, size - behind);
}

static bool checksum_is_right(const struct ext4_fs *fs, const uint8_t *at, uint32_t seed)
{
    uint32_t crc = bm_ext4_inode_checksum(fs, at, seed);
    bool wide = bm_ext4_inode_has(fs, at, EXT4_I_CHECKSUM_HIGH - CHECKSUM_SIZE);
    uint32_t said = ext4_get16(at + EXT4_I_CHECKSUM);
    if (wide)
        said |= ext4_get16(at + EXT4_I_CHECKSUM_HIGH) << 16;
    return said == (wide ? crc : crc & 0xffff);
}

static void parse(const struct ext4_fs *fs, const uint8_t *at, struct ext4_inode *inode)
{
    inode->mode = ext4_get16(at + EXT4_I_MODE);
    inode->links = ext4_get16(at + EXT4_I_LINKS);
    inode->owner = ext4_get16(at + EXT4_I_OWNER) | ext4_get16(at + EXT4_I_OWNER_HIGH) << 16;
    inode->group = ext4_get16(at + EXT4_I_GROUP) | ext4_get16(at + EXT4_I_GROUP_HIGH) << 16;
    inode->flags = ext4_get32(at + EXT4_I_FLAGS);
    inode->deleted = ext4_get32(at + EXT4_I_DELETED);
    inode->size = ext4_get64(ext4_get32(at + EXT4_I_SIZE), ext4_get32(at + EXT4_I_SIZE_HIGH));
    bool huge = fs->super.ro_compat & EXT4_RO_HUGE_FILE;
    inode->blocks =
        ext4_get64(ext4_get32(at + EXT4_I_BLOCKS), huge ? ext4_get16(at + EXT4_I_BLOCKS_HIGH) : 0);
    if (huge && inode->flags & EXT4_INODE_HUGE)
        inode->blocks <<= fs->super.block_bits - 9;
    inode->attributes =
        ext4_get64(ext4_get32(at + EXT4_I_ATTRIBUTES), ext4_get16(at + EXT4_I_ATTRIBUTES_HIGH));
    inode->accessed = time_get(fs, at, EXT4_I_ACCESSED, EXT4_I_ACCESSED_EXTRA);
    inode->modified = time_get(fs, at, EXT4_I_MODIFIED, EXT4_I_MODIFIED_EXTRA);
    inode->changed = time_get(fs, at, EXT4_I_CHANGED, EXT4_I_CHANGED_EXTRA);
    if (bm_ext4_inode_has(fs, at, EXT4_I_CREATED))
        inode->created = time_get(fs, at, EXT4_I_CREATED, EXT4_I_CREATED_EXTRA);
    __builtin_memcpy(inode->block, at + EXT4_I_BLOCK, sizeof inode->block);
}

static bool type_is_right(const struct ext4_fs *fs, const struct ext4_inode *inode)
{
    uint64_t max = inode->flags & EXT4_INODE_EXTENTS ? UINT32_MAX : UINT32_MAX / 2;
    switch (inode->mode & BM_FILE_TYPE) {
    case BM_FILE_REGULAR:
        return inode->size <= max << fs->super.block_bits;
    case BM_FILE_DIRECTORY:
        return (inode->size || !inode->links) && inode->size % fs->super.block_size == 0 &&
               inode->size >> fs->super.block_bits <= fs->super.blocks;
    case BM_FILE_LINK:
        return inode->size && inode->size <= fs->super.block_size;
    case BM_FILE_CHARACTER:
    case BM_FILE_BLOCK:
    case BM_FILE_PIPE:
    case BM_FILE_SOCKET:
        return true;
    default:
        return false;
    }
}

uint32_t bm_ext4_inode_seed(const struct ext4_fs *fs, uint32_t number, uint32_t generation)
{
    uint8_t words[8];
    ext4_put32(words, number);
    ext4_put32(words + 4, generation);
    return bm_ext4_crc32c(fs->super.seed, words, sizeof words);
}

static int read_from(struct ext4_fs *fs, const uint8_t *at, struct ext4_inode *inode)
{
    if (fs->super.inode_size > EXT4_I_SIZE_OLD &&
        (ext4_get16(at + EXT4_I_EXTRA) > fs->super.inode_size - EXT4_I_SIZE_OLD ||
         ext4_get16(at + EXT4_I_EXTRA) % 4))
        return bm_ext4_damaged(fs, "inode %lu has a wrong size", inode->number);
    inode->generation = ext4_get32(at + EXT4_I_GENERATION);
    inode->seed = bm_ext4_inode_seed(fs, inode->number, inode->generation);
    if (ext4_has_checksums(fs) && !checksum_is_right(fs, at, inode->seed))
        return bm_ext4_damaged(fs, "the checksum of inode %lu is wrong", inode->number);
    parse(fs, at, inode);
    if (!inode->mode)
        return -BM_ESTALE;
    if (inode->flags & (EXT4_INODE_INLINE | EXT4_INODE_ENCRYPT))
        return bm_ext4_damaged(fs, "inode %lu has a feature that the file system has not", inode->number);
    return 0;
}

int bm_ext4_inode_find(struct ext4_fs *fs, uint32_t number, struct ext4_buffer **buffer, uint8_t **at)
{
    if (number == 0 || number > fs->super.inodes)
        return bm_ext4_damaged(fs, "there is no inode %lu", number);
    struct ext4_group group;
    uint32_t index = (number - 1) % fs->super.group_inodes;
    int error = bm_ext4_group_get(fs, (number - 1) / fs->super.group_inodes, &group);
    if (error)
        return error;
    uint64_t byte = (uint64_t)index * fs->super.inode_size;
    error = bm_ext4_buffer_get(fs, group.inode_table + (byte >> fs->super.block_bits), buffer);
    if (!error)
        *at = (*buffer)->data + byte % fs->super.block_size;
    return error;
}

int bm_ext4_inode_get(struct ext4_fs *fs, uint32_t number, struct ext4_inode *inode)
{
    struct ext4_buffer *buffer;
    uint8_t *at;
    *inode = (struct ext4_inode){.number = number};
    int error = bm_ext4_inode_find(fs, number, &buffer, &at);
    if (error)
        return error;
    error = read_from(fs, at, inode);
    bm_ext4_buffer_put(fs, buffer);
    if (!error && !type_is_right(fs, inode))
        error = bm_ext4_damaged(fs, "inode %lu has a wrong type or size", number);
    return error;
}

bool bm_ext4_is_short_link(const struct ext4_inode *inode)
{
    return inode->size < sizeof inode->block && !(inode->flags & EXT4_INODE_EXTENTS);
}

long bm_ext4_link_read(struct ext4_fs *fs, const struct ext4_inode *inode, char *to, size_t size)
{
    size_t part = size < inode->size ? size : inode->size;
    if (bm_ext4_is_short_link(inode)) {
        __builtin_memcpy(to, inode->block, part);
        return (long)inode->size;
    }
    struct ext4_extent extent;
    struct ext4_buffer *buffer;
    int error = bm_ext4_map(fs, inode, 0, &extent);
    if (!error && extent.hole)
        error = bm_ext4_damaged(fs, "the link of inode %lu is nowhere", inode->number);
    if (!error)
        error = bm_ext4_buffer_get(fs, extent.block, &buffer);
    if (error)
        return error;
    __builtin_memcpy(to, buffer->data, part);
    bm_ext4_buffer_put(fs, buffer);
    return (long)inode->size;
}

uint64_t bm_ext4_device(const struct ext4_inode *inode)
{
    uint32_t old = ext4_get32(inode->block);
    return old ? old & 0xffff : ext4_get32(inode->block + 4);
}
