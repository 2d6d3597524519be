// Writing inodes: their fields, new ones, and the end of those without names.
// SPDX-License-Identifier: MIT
#include "ext4_allocate.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { EPOCH_BITS = 2, EPOCH_MASK = 3, X_REFERENCES = 4, X_CHECKSUM = 0x10 };

static const int64_t SECOND = 1000000000;

static void time_put(const struct ext4_fs *fs, uint8_t *at, unsigned field, unsigned extra, int64_t time)
{
    int64_t seconds = time / SECOND, rest = time % SECOND;
    if (rest < 0) {
        rest += SECOND;
        seconds--;
    }
    ext4_put32(at + field, (uint32_t)seconds);
    if (bm_ext4_inode_has(fs, at, extra)) // the seconds' high bits, as of those that a sign is part of
        ext4_put32(at + extra, (uint32_t)rest << EPOCH_BITS |
                                   (uint32_t)(((uint64_t)(seconds - (int32_t)seconds) >> 32) & EPOCH_MASK));
}

static void checksum_put(const struct ext4_fs *fs, uint8_t *at, uint32_t seed)
{
    if (!ext4_has_checksums(fs))
        return;
    uint32_t crc = bm_ext4_inode_checksum(fs, at, seed);
    ext4_put16(at + EXT4_I_CHECKSUM, crc);
    if (bm_ext4_inode_has(fs, at, EXT4_I_CHECKSUM_HIGH - 2))
        ext4_put16(at + EXT4_I_CHECKSUM_HIGH, crc >> 16);
}

static void fields_put(const struct ext4_fs *fs, uint8_t *at, const struct ext4_inode *inode)
{
    uint64_t blocks =
        inode->flags & EXT4_INODE_HUGE ? inode->blocks >> (fs->super.block_bits - 9) : inode->blocks;
    ext4_put16(at + EXT4_I_MODE, inode->mode);
    ext4_put16(at + EXT4_I_LINKS, inode->links);
    ext4_put16(at + EXT4_I_OWNER, inode->owner);
    ext4_put16(at + EXT4_I_OWNER_HIGH, inode->owner >> 16);
    ext4_put16(at + EXT4_I_GROUP, inode->group);
    ext4_put16(at + EXT4_I_GROUP_HIGH, inode->group >> 16);
    ext4_put32(at + EXT4_I_FLAGS, inode->flags);
    ext4_put32(at + EXT4_I_SIZE, (uint32_t)inode->size);
    ext4_put32(at + EXT4_I_SIZE_HIGH, (uint32_t)(inode->size >> 32));
    ext4_put32(at + EXT4_I_BLOCKS, (uint32_t)blocks);
    if (fs->super.ro_compat & EXT4_RO_HUGE_FILE)
        ext4_put16(at + EXT4_I_BLOCKS_HIGH, (uint32_t)(blocks >> 32));
    ext4_put32(at + EXT4_I_GENERATION, inode->generation);
    ext4_put32(at + EXT4_I_ATTRIBUTES, (uint32_t)inode->attributes);
    ext4_put16(at + EXT4_I_ATTRIBUTES_HIGH, (uint32_t)(inode->attributes >> 32));
    time_put(fs, at, EXT4_I_ACCESSED, EXT4_I_ACCESSED_EXTRA, inode->accessed);
    time_put(fs, at, EXT4_I_MODIFIED, EXT4_I_MODIFIED_EXTRA, inode->modified);
    time_put(fs, at, EXT4_I_CHANGED, EXT4_I_CHANGED_EXTRA, inode->changed);
    if (bm_ext4_inode_has(fs, at, EXT4_I_CREATED))
        time_put(fs, at, EXT4_I_CREATED, EXT4_I_CREATED_EXTRA, inode->created);
    __builtin_memcpy(at + EXT4_I_BLOCK, inode->block, sizeof inode->block);
    checksum_put(fs, at, inode->seed);
}

static int raw_change(struct ext4_fs *fs, uint32_t number, struct ext4_buffer **buffer, uint8_t **at)
{
    int error = bm_ext4_inode_find(fs, number, buffer, at);
    if (error)
        return error;
    error = bm_ext4_buffer_change(fs, *buffer, EXT4_ROLE_INODES);
    if (error)
        bm_ext4_buffer_put(fs, *buffer);
    return error;
}

int bm_ext4_inode_write(struct ext4_fs *fs, const struct ext4_inode *inode)
{
    struct ext4_buffer *buffer;
    uint8_t *at;
    int error = raw_change(fs, inode->number, &buffer, &at);
    if (error)
        return error;
    fields_put(fs, at, inode);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

int bm_ext4_inode_set_deleted(struct ext4_fs *fs, uint32_t number, uint32_t deleted)
{
    struct ext4_buffer *buffer;
    uint8_t *at;
    int error = raw_change(fs, number, &buffer, &at);
    if (error)
        return error;
    ext4_put32(at + EXT4_I_DELETED, deleted);
    checksum_put(fs, at, bm_ext4_inode_seed(fs, number, ext4_get32(at + EXT4_I_GENERATION)));
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

// A file's or directory's blocks, of which there are none yet.
static void extents_begin(struct ext4_inode *inode)
{
    inode->flags |= EXT4_INODE_EXTENTS;
    ext4_put16(inode->block, EXT4_X_MAGIC);
    ext4_put16(inode->block + EXT4_X_MAX, sizeof inode->block / EXT4_X_SIZE - 1);
}

int bm_ext4_inode_make(struct ext4_fs *fs, uint32_t near, struct ext4_inode *inode)
{
    struct ext4_buffer *buffer;
    uint8_t *at;
    uint32_t type = inode->mode & BM_FILE_TYPE;
    int error = bm_ext4_inode_allocate(fs, near, type == BM_FILE_DIRECTORY, &inode->number);
    if (!error)
        error = raw_change(fs, inode->number, &buffer, &at);
    if (error)
        return error;
    inode->created = inode->accessed = inode->modified = inode->changed = fs->disk->now(fs->disk->arg);
    // Another one than that of who had the number before, for those that know inodes by both.
    inode->generation = ext4_get32(at + EXT4_I_GENERATION) + 1 + (uint32_t)(inode->created >> 10);
    inode->seed = bm_ext4_inode_seed(fs, inode->number, inode->generation);
    if (type == BM_FILE_REGULAR || type == BM_FILE_DIRECTORY ||
        (type == BM_FILE_LINK && !bm_ext4_is_short_link(inode)))
        extents_begin(inode);
    __builtin_memset(at, 0, fs->super.inode_size);
    if (fs->super.inode_size > EXT4_I_SIZE_OLD) {
        uint32_t extra = fs->super.want_extra, room = fs->super.inode_size - EXT4_I_SIZE_OLD;
        if (extra < EXT4_I_EXTRA_SIZE || extra > room || extra % 4)
            extra = EXT4_I_EXTRA_SIZE;
        ext4_put16(at + EXT4_I_EXTRA, extra);
    }
    fields_put(fs, at, inode);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

// The block with extended attributes, which several inodes may share.
static int attributes_free(struct ext4_fs *fs, struct ext4_inode *inode)
{
    struct ext4_buffer *buffer;
    uint8_t place[8];
    if (!bm_ext4_is_data(fs, inode->attributes, 1))
        return bm_ext4_damaged(fs, "inode %lu has its attributes nowhere", inode->number);
    int error = bm_ext4_buffer_get(fs, inode->attributes, &buffer);
    if (error)
        return error;
    uint32_t references = ext4_get32(buffer->data + X_REFERENCES);
    if (references <= 1)
        error = bm_ext4_blocks_free(fs, inode->attributes, 1, true);
    else
        error = bm_ext4_buffer_change(fs, buffer, EXT4_ROLE_ATTRIBUTES);
    if (!error && references > 1) {
        ext4_put32(buffer->data + X_REFERENCES, references - 1);
        ext4_put32(buffer->data + X_CHECKSUM, 0);
        ext4_put32(place, (uint32_t)buffer->block);
        ext4_put32(place + 4, (uint32_t)(buffer->block >> 32));
        uint32_t crc = bm_ext4_crc32c(fs->super.seed, place, sizeof place);
        if (ext4_has_checksums(fs))
            ext4_put32(buffer->data + X_CHECKSUM, bm_ext4_crc32c(crc, buffer->data, fs->super.block_size));
    }
    bm_ext4_buffer_put(fs, buffer);
    inode->attributes = 0;
    return error;
}

int bm_ext4_inode_end(struct ext4_fs *fs, struct ext4_inode *inode)
{
    int error = inode->attributes ? attributes_free(fs, inode) : 0;
    if (!error)
        error = bm_ext4_inode_free(fs, inode->number, (inode->mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY);
    if (!error)
        error =
            bm_ext4_inode_set_deleted(fs, inode->number, (uint32_t)(fs->disk->now(fs->disk->arg) / SECOND));
    inode->links = 0;
    inode->blocks = 0;
    return error ? error : bm_ext4_inode_write(fs, inode);
}
