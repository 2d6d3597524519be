// Mounting: what is on a disk becomes a file system.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>
#include <baremetal/file.h>
#include <baremetal/inode.h>

int bm_ext4_damaged(const struct ext4_fs *fs, const char *what, uint64_t where)
{
    fs->disk->report(fs->disk->arg, what, where);
    return -BM_EIO;
}

static int read_super(struct ext4_fs *fs, const char **why)
{
    uint8_t *bytes = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    if (!bytes)
        return -BM_ENOMEM;
    int error = fs->disk->size < EXT4_BLOCK_MAX ? -BM_ENODEV
                                                : fs->disk->read(fs->disk->arg, 0, bytes, EXT4_BLOCK_MAX);
    if (!error)
        error = bm_ext4_super_parse(bytes + EXT4_SUPER_OFFSET, fs->disk->size, &fs->super, why);
    bm_inode_memory_free(bytes, EXT4_BLOCK_MAX);
    return error;
}

// The superblock says from now on that the journal is empty. It may have been in the journal itself.
static int clear_recover(struct ext4_fs *fs)
{
    const struct ext4_disk *disk = fs->disk;
    uint8_t *bytes = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    if (!bytes)
        return -BM_ENOMEM;
    int error = disk->read(disk->arg, 0, bytes, EXT4_BLOCK_MAX);
    if (!error) {
        uint8_t *super = bytes + EXT4_SUPER_OFFSET;
        ext4_put32(super + EXT4_S_INCOMPAT, ext4_get32(super + EXT4_S_INCOMPAT) & ~EXT4_INCOMPAT_RECOVER);
        if (ext4_has_checksums(fs))
            ext4_put32(super + EXT4_S_CHECKSUM, bm_ext4_crc32c(~0u, super, EXT4_S_CHECKSUM));
        error = disk->write(disk->arg, 0, bytes, EXT4_BLOCK_MAX);
    }
    bm_inode_memory_free(bytes, EXT4_BLOCK_MAX);
    return error ? error : disk->flush(disk->arg);
}

static int recover(struct ext4_fs *fs, const char **why)
{
    *why = "its journal is to be replayed, and the disk cannot be written";
    if (fs->disk->read_only)
        return -BM_EROFS;
    int error = bm_ext4_replay(fs, why);
    if (error)
        return error;
    fs->replayed = true;
    bm_ext4_buffers_end(fs);
    *why = "its superblock cannot be read behind the replay";
    error = read_super(fs, why);
    return error ? error : clear_recover(fs);
}

int bm_ext4_mount(struct ext4_fs *fs, const struct ext4_disk *disk, uint32_t buffers, const char **why)
{
    struct ext4_inode root;
    fs->disk = disk;
    fs->buffers_max = buffers;
    int error = read_super(fs, why);
    if (error)
        return error;
    if (fs->super.block_size < disk->sector_size) {
        *why = "its blocks are smaller than the disk's sectors";
        return -BM_EOPNOTSUPP;
    }
    if (fs->super.incompat & EXT4_INCOMPAT_RECOVER) {
        error = recover(fs, why);
        bm_ext4_buffers_end(fs);
        if (error)
            return error;
    }
    fs->read_only = true;
    fs->why_read_only = bm_ext4_super_read_only(&fs->super);
    *why = "its root cannot be read";
    error = bm_ext4_inode_get(fs, EXT4_ROOT, &root);
    if (!error && (root.mode & BM_FILE_TYPE) != BM_FILE_DIRECTORY)
        error = -BM_EIO;
    if (error)
        bm_ext4_buffers_end(fs);
    return error;
}

void bm_ext4_unmount(struct ext4_fs *fs)
{
    bm_ext4_listing_end(fs);
    bm_ext4_buffers_end(fs);
}
