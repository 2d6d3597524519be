// How full file systems are.
// SPDX-License-Identifier: MIT
#include "../descriptor.h"
#include "files.h"

#include <baremetal/mount.h>
#include <fcntl.h>
#include <sys/statvfs.h>

static int fill(struct bm_mount *mount, struct statvfs *to)
{
    struct bm_mount_space said = {0};
    int error = mount->space ? mount->space(mount, &said) : -ENOSYS;
    if (error)
        return error;
    *to = (struct statvfs){.f_bsize = (unsigned long)said.block_size,
                           .f_frsize = (unsigned long)said.block_size,
                           .f_blocks = (fsblkcnt_t)said.blocks,
                           .f_bfree = (fsblkcnt_t)said.free,
                           .f_bavail = (fsblkcnt_t)said.free,
                           .f_files = (fsfilcnt_t)said.inodes,
                           .f_ffree = (fsfilcnt_t)said.inodes_free,
                           .f_favail = (fsfilcnt_t)said.inodes_free,
                           .f_fsid = (unsigned long)mount->device,
                           .f_flag = mount->read_only ? ST_RDONLY : 0,
                           .f_namemax = said.name_max};
    return 0;
}

int statvfs(const char *restrict path, struct statvfs *restrict space)
{
    struct bm_inode *inode;
    int error = bm_path_inode(AT_FDCWD, path, 0, &inode);
    if (error)
        return (int)bm_posix_result(error);
    error = fill(inode->mount, space);
    bm_inode_put(inode);
    return (int)bm_posix_result(error);
}

int fstatvfs(int descriptor, struct statvfs *space)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return -1;
    return (int)bm_posix_finish(file, file->inode ? fill(file->inode->mount, space) : -ENOSYS);
}
