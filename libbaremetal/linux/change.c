// Changes of files: their size, permissions, owners and times.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

#include <baremetal/file_system.h>
#include <baremetal/path.h>
#include <baremetal/time.h>

enum {
    UTIME_NOW = 0x3fffffff,
    UTIME_OMIT = 0x3ffffffe,
    NANOSECONDS = 1000000000,
    MICROSECONDS = 1000000,
    FALLOC_KEEP_SIZE = 1,
    ADVICE_LAST = 5
};

static long change_of(int descriptor, const struct bm_inode_change *change)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, bm_file_change(file, change)) : -BM_EBADF;
}

long bm_linux_fchmodat(int directory, const char *path, unsigned mode)
{
    struct bm_inode_change change = {.which = BM_CHANGE_MODE, .mode = mode};
    return bm_path_change(directory, path, 0, &change);
}

long bm_linux_chmod(const char *path, unsigned mode)
{
    return bm_linux_fchmodat(BM_AT_FDCWD, path, mode);
}

long bm_linux_fchmod(int descriptor, unsigned mode)
{
    struct bm_inode_change change = {.which = BM_CHANGE_MODE, .mode = mode};
    return change_of(descriptor, &change);
}

// A number of -1 stays as it is.
static struct bm_inode_change owners(unsigned user, unsigned group)
{
    return (struct bm_inode_change){.which = (user == UINT32_MAX ? 0 : BM_CHANGE_OWNER) |
                                             (group == UINT32_MAX ? 0 : BM_CHANGE_GROUP),
                                    .owner = user,
                                    .group = group};
}

long bm_linux_fchownat(int directory, const char *path, unsigned user, unsigned group, int flags)
{
    struct bm_inode_change change = owners(user, group);
    if (flags & ~(BM_AT_SYMLINK_NOFOLLOW | BM_AT_EMPTY_PATH))
        return -BM_EINVAL;
    return bm_path_change(directory, path, flags, &change);
}

long bm_linux_chown(const char *path, unsigned user, unsigned group)
{
    return bm_linux_fchownat(BM_AT_FDCWD, path, user, group, 0);
}

long bm_linux_lchown(const char *path, unsigned user, unsigned group)
{
    return bm_linux_fchownat(BM_AT_FDCWD, path, user, group, BM_AT_SYMLINK_NOFOLLOW);
}

long bm_linux_fchown(int descriptor, unsigned user, unsigned group)
{
    struct bm_inode_change change = owners(user, group);
    return change_of(descriptor, &change);
}

long bm_linux_truncate(const char *path, long size)
{
    struct bm_inode_change change = {.which = BM_CHANGE_SIZE, .size = (uint64_t)size};
    return size < 0 ? -BM_EINVAL : bm_linux_size_result(bm_path_change(BM_AT_FDCWD, path, 0, &change));
}

long bm_linux_ftruncate(int descriptor, long size)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_size_result(bm_linux_finish(file, bm_file_truncate(file, size))) : -BM_EBADF;
}

static long allocate(struct bm_file *file, int mode, long offset, long size)
{
    long end;
    if (offset < 0 || size <= 0)
        return -BM_EINVAL;
    if (mode & ~FALLOC_KEEP_SIZE)
        return -BM_EOPNOTSUPP;
    if ((file->flags & LINUX_O_ACCMODE) == LINUX_O_RDONLY)
        return -BM_EBADF;
    if (!file->inode)
        return file->ops->seek ? -BM_ENODEV : -BM_ESPIPE;
    if (file->inode->type != BM_FILE_REGULAR)
        return -BM_ENODEV;
    if (__builtin_add_overflow(offset, size, &end))
        return -BM_EFBIG;
    return bm_inode_allocate(file->inode, (uint64_t)offset, (uint64_t)end, mode & FALLOC_KEEP_SIZE);
}

long bm_linux_fallocate(int descriptor, int mode, long offset, long size)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_size_result(bm_linux_finish(file, allocate(file, mode, offset, size))) : -BM_EBADF;
}

// Advice changes nothing.
long bm_linux_fadvise64(int descriptor, long offset, long size, int advice)
{
    (void)offset;
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    bool valid = size >= 0 && advice >= 0 && advice <= ADVICE_LAST;
    return bm_linux_finish(file, !file->ops->seek ? -BM_ESPIPE : valid ? 0 : -BM_EINVAL);
}

// The change of the two times that is asked for; NULL: both are now.
static int times(const struct linux_timespec wanted[2], struct bm_inode_change *change)
{
    static const struct linux_timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    int64_t *to[2] = {&change->accessed, &change->modified};
    *change = (struct bm_inode_change){0};
    bool touch = true;
    for (int i = 0; i < 2; i++) {
        const struct linux_timespec *time = wanted ? &wanted[i] : &now[i];
        touch &= time->nanoseconds == UTIME_NOW;
        if (time->nanoseconds == UTIME_OMIT)
            continue;
        if (time->nanoseconds == UTIME_NOW)
            *to[i] = (int64_t)bm_time_wall();
        else if (time->nanoseconds < 0 || time->nanoseconds >= NANOSECONDS)
            return -BM_EINVAL;
        else if (__builtin_mul_overflow(time->seconds, NANOSECONDS, to[i]) ||
                 __builtin_add_overflow(*to[i], time->nanoseconds, to[i]))
            *to[i] = time->seconds < 0 ? INT64_MIN : INT64_MAX;
        change->which |= i ? BM_CHANGE_MODIFIED : BM_CHANGE_ACCESSED;
    }
    change->which |= touch ? BM_CHANGE_TOUCH : 0;
    return 0;
}

// Without a path the descriptor itself is meant.
long bm_linux_utimensat(int directory, const char *path, const struct linux_timespec wanted[2], int flags)
{
    struct bm_inode_change change;
    if (flags & ~(BM_AT_SYMLINK_NOFOLLOW | BM_AT_EMPTY_PATH))
        return -BM_EINVAL;
    int error = times(wanted, &change);
    if (error)
        return error;
    if (!path && directory != BM_AT_FDCWD)
        return flags ? -BM_EINVAL : change_of(directory, &change);
    return bm_path_change(directory, path, flags, &change);
}

long bm_linux_futimesat(int directory, const char *path, const struct linux_timeval wanted[2])
{
    struct linux_timespec exact[2];
    for (int i = 0; wanted && i < 2; i++) {
        if (wanted[i].microseconds < 0 || wanted[i].microseconds >= MICROSECONDS)
            return -BM_EINVAL;
        exact[i] = (struct linux_timespec){wanted[i].seconds, wanted[i].microseconds * 1000};
    }
    return bm_linux_utimensat(directory, path, wanted ? exact : NULL, 0);
}

long bm_linux_utimes(const char *path, const struct linux_timeval wanted[2])
{
    return bm_linux_futimesat(BM_AT_FDCWD, path, wanted);
}

long bm_linux_utime(const char *path, const int64_t wanted[2])
{
    struct linux_timespec exact[2];
    for (int i = 0; wanted && i < 2; i++)
        exact[i] = (struct linux_timespec){wanted[i], 0};
    return bm_linux_utimensat(BM_AT_FDCWD, path, wanted ? exact : NULL, 0);
}

static long sync_of(int descriptor, bool data_only)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, bm_file_sync(file, data_only)) : -BM_EBADF;
}

long bm_linux_fsync(int descriptor)
{
    return sync_of(descriptor, false);
}

long bm_linux_fdatasync(int descriptor)
{
    return sync_of(descriptor, true);
}

// Files in memory are as safe as they ever will be; who has none on a disk waits for nobody. As on Linux,
// errors are told by fsync and syncfs.
long bm_linux_sync(void)
{
    if (bm_disk_sync_all)
        bm_disk_sync_all(false);
    return 0;
}

long bm_linux_syncfs(int descriptor)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    struct bm_mount *mount = file && file->inode ? file->inode->mount : NULL;
    return file ? bm_linux_finish(file, mount && mount->sync ? mount->sync(mount, false) : 0) : -BM_EBADF;
}
