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
        *why = "its journal is to be replayed first: e2fsck";
        return -BM_EOPNOTSUPP;
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
    bm_ext4_buffers_end(fs);
}
