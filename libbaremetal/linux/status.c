// What is known of files and of file systems.
// SPDX-License-Identifier: MIT
#include "../file/service.h"
#include "linux.h"

#include <baremetal/mount.h>
#include <baremetal/path.h>

enum {
    AT_NO_AUTOMOUNT = 0x800,
    AT_STATX_SYNC_TYPE = 0x6000,
    STATUS_FLAGS = BM_AT_SYMLINK_NOFOLLOW | BM_AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE,
    STATX_RESERVED = (int)0x80000000,
    STATX_BASIC = 0x7ff,
    READ_ONLY = 1,     // ST_RDONLY
    VALID_FLAGS = 0x20 // ST_VALID: the flags are told
};

static struct linux_timespec time_of(int64_t nanoseconds)
{
    int64_t part = nanoseconds % 1000000000;
    bool before = part < 0; // of 1970
    return (struct linux_timespec){nanoseconds / 1000000000 - before, part + (before ? 1000000000 : 0)};
}

static void fill(struct linux_stat *to, const struct bm_file_status *from)
{
    *to = (struct linux_stat){.device = from->device,
                              .number = from->number,
                              .links = from->links,
                              .mode = from->mode,
                              .user = from->owner,
                              .group = from->group,
                              .special_device = from->special,
                              .size = (int64_t)from->size,
                              .block_size = from->block_size,
                              .blocks = (int64_t)from->blocks,
                              .accessed = time_of(from->accessed),
                              .modified = time_of(from->modified),
                              .changed = time_of(from->changed)};
}

static long status_of(int descriptor, struct bm_file_status *status)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, bm_file_status_of(file, status)) : -BM_EBADF;
}

// A descriptor itself may be something without a name, as a pipe.
static long status_at(int directory, const char *path, int flags, struct bm_file_status *status)
{
    if (flags & ~STATUS_FLAGS)
        return -BM_EINVAL;
    bool itself = flags & BM_AT_EMPTY_PATH && directory != BM_AT_FDCWD && path;
    if (itself && bm_path_reach && bm_path_reach(path))
        return -BM_EFAULT;
    if (itself && !*path)
        return status_of(directory, status);
    return bm_path_status(directory, path, flags, status);
}

long bm_linux_fstat(int descriptor, struct linux_stat *status)
{
    struct bm_file_status said;
    long result = status_of(descriptor, &said);
    if (result == 0)
        fill(status, &said);
    return result;
}

long bm_linux_newfstatat(int directory, const char *path, struct linux_stat *status, int flags)
{
    struct bm_file_status said;
    long result = status_at(directory, path, flags, &said);
    if (result == 0)
        fill(status, &said);
    return result;
}

long bm_linux_stat(const char *path, struct linux_stat *status)
{
    return bm_linux_newfstatat(BM_AT_FDCWD, path, status, 0);
}

long bm_linux_lstat(const char *path, struct linux_stat *status)
{
    return bm_linux_newfstatat(BM_AT_FDCWD, path, status, BM_AT_SYMLINK_NOFOLLOW);
}

static struct linux_statx_time statx_time(int64_t nanoseconds)
{
    struct linux_timespec time = time_of(nanoseconds);
    return (struct linux_statx_time){.seconds = time.seconds, .nanoseconds = (uint32_t)time.nanoseconds};
}

static uint32_t major_of(uint64_t device)
{
    return (uint32_t)(device >> 8) & 0xfff;
}

static uint32_t minor_of(uint64_t device)
{
    return (uint32_t)(device & 0xff) | ((uint32_t)(device >> 12) & ~0xffu);
}

long bm_linux_statx(int directory, const char *path, int flags, unsigned mask, struct linux_statx *to)
{
    struct bm_file_status from;
    if (mask & (unsigned)STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -BM_EINVAL;
    long result = status_at(directory, path, flags, &from);
    if (result)
        return result;
    *to = (struct linux_statx){.mask = STATX_BASIC,
                               .block_size = from.block_size,
                               .links = from.links,
                               .user = from.owner,
                               .group = from.group,
                               .mode = (uint16_t)from.mode,
                               .number = from.number,
                               .size = from.size,
                               .blocks = from.blocks,
                               .accessed = statx_time(from.accessed),
                               .changed = statx_time(from.changed),
                               .modified = statx_time(from.modified),
                               .special_major = major_of(from.special),
                               .special_minor = minor_of(from.special),
                               .device_major = major_of(from.device),
                               .device_minor = minor_of(from.device)};
    return 0;
}

long bm_linux_faccessat2(int directory, const char *path, int mode, int flags)
{
    if (flags & ~(BM_AT_EACCESS | BM_AT_SYMLINK_NOFOLLOW | BM_AT_EMPTY_PATH))
        return -BM_EINVAL;
    return bm_path_access(directory, path, mode, flags);
}

long bm_linux_faccessat(int directory, const char *path, int mode)
{
    return bm_path_access(directory, path, mode, 0);
}

long bm_linux_access(const char *path, int mode)
{
    return bm_path_access(BM_AT_FDCWD, path, mode, 0);
}

static int fill_space(struct linux_statfs *to, struct bm_mount *mount)
{
    struct bm_mount_space from = {0};
    int error = mount->space ? mount->space(mount, &from) : -BM_ENOSYS;
    if (error)
        return error;
    *to = (struct linux_statfs){.kind = from.magic,
                                .block_size = (int64_t)from.block_size,
                                .blocks = from.blocks,
                                .free = from.free,
                                .available = from.free,
                                .inodes = from.inodes,
                                .inodes_free = from.inodes_free,
                                .number = {(int32_t)mount->device, 0},
                                .name_max = from.name_max,
                                .fragment_size = (int64_t)from.block_size,
                                .flags = VALID_FLAGS | (mount->read_only ? READ_ONLY : 0)};
    return 0;
}

long bm_linux_statfs(const char *path, struct linux_statfs *space)
{
    struct bm_inode *inode;
    int error = bm_path_inode(BM_AT_FDCWD, path, 0, &inode);
    if (error)
        return error;
    error = fill_space(space, inode->mount);
    bm_inode_put(inode);
    return error;
}

long bm_linux_fstatfs(int descriptor, struct linux_statfs *space)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, file->inode ? fill_space(space, file->inode->mount) : -BM_ENOSYS);
}
