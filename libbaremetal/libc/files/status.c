// What is known of files, and changes of it.
// SPDX-License-Identifier: MIT
#include "../status.h"
#include "../descriptor.h"
#include "files.h"

#include <baremetal/file_system.h>
#include <baremetal/time.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

enum { NANOSECONDS = 1000000000 };

int fstatat(int at, const char *restrict path, struct stat *restrict status, int flags)
{
    struct bm_file_status said;
    int error = bm_path_status(at, path, flags, &said);
    if (error == 0)
        bm_posix_status(status, &said);
    return (int)bm_posix_result(error);
}

int stat(const char *restrict path, struct stat *restrict status)
{
    return fstatat(AT_FDCWD, path, status, 0);
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

int faccessat(int at, const char *path, int mode, int flags)
{
    return (int)bm_posix_result(bm_path_access(at, path, mode, flags & ~AT_EACCESS));
}

int access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, 0);
}

static int change_at(int at, const char *path, int flags, const struct bm_inode_change *change)
{
    return (int)bm_posix_result(bm_path_change(at, path, flags, change));
}

static int change_of(int descriptor, const struct bm_inode_change *change)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    return file ? (int)bm_posix_finish(file, bm_file_change(file, change)) : -1;
}

int fchmodat(int at, const char *path, mode_t mode, int flags)
{
    return change_at(at, path, flags, &(struct bm_inode_change){.which = BM_CHANGE_MODE, .mode = mode});
}

int chmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, 0);
}

int fchmod(int descriptor, mode_t mode)
{
    return change_of(descriptor, &(struct bm_inode_change){.which = BM_CHANGE_MODE, .mode = mode});
}

// A number of -1 stays as it is.
static struct bm_inode_change owners(uid_t owner, gid_t group)
{
    return (struct bm_inode_change){.which = (owner == (uid_t)-1 ? 0 : BM_CHANGE_OWNER) |
                                             (group == (gid_t)-1 ? 0 : BM_CHANGE_GROUP),
                                    .owner = owner,
                                    .group = group};
}

int fchownat(int at, const char *path, uid_t owner, gid_t group, int flags)
{
    struct bm_inode_change change = owners(owner, group);
    return change_at(at, path, flags, &change);
}

int chown(const char *path, uid_t owner, gid_t group)
{
    return fchownat(AT_FDCWD, path, owner, group, 0);
}

int lchown(const char *path, uid_t owner, gid_t group)
{
    return fchownat(AT_FDCWD, path, owner, group, AT_SYMLINK_NOFOLLOW);
}

int fchown(int descriptor, uid_t owner, gid_t group)
{
    struct bm_inode_change change = owners(owner, group);
    return change_of(descriptor, &change);
}

int truncate(const char *path, off_t length)
{
    if (length < 0)
        return (int)bm_posix_result(-EINVAL);
    return change_at(AT_FDCWD, path, 0,
                     &(struct bm_inode_change){.which = BM_CHANGE_SIZE, .size = (uint64_t)length});
}

int ftruncate(int descriptor, off_t length)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    return file ? (int)bm_posix_finish(file, bm_file_truncate(file, length)) : -1;
}

static int sync_of(int descriptor, bool data_only)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    return file ? (int)bm_posix_finish(file, bm_file_sync(file, data_only)) : -1;
}

int fsync(int descriptor)
{
    return sync_of(descriptor, false);
}

int fdatasync(int descriptor)
{
    return sync_of(descriptor, true);
}

// Files in memory are as safe as they ever will be.
void sync(void)
{
    if (bm_disk_sync_all)
        bm_disk_sync_all(false);
}

static int time_of(const struct timespec *time, int64_t now, int64_t *to)
{
    if (time->tv_nsec == UTIME_NOW)
        *to = now;
    else if (time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS)
        return EINVAL;
    else
        *to = (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
    return 0;
}

int bm_posix_times(const struct timespec times[2], struct bm_inode_change *change)
{
    static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    int64_t at = (int64_t)bm_time_wall();
    int64_t *to[2] = {&change->accessed, &change->modified};
    *change = (struct bm_inode_change){0};
    for (int i = 0; i < 2; i++) {
        const struct timespec *time = times ? &times[i] : &now[i];
        if (time->tv_nsec == UTIME_OMIT)
            continue;
        if (time_of(time, at, to[i]))
            return EINVAL;
        change->which |= i ? BM_CHANGE_MODIFIED : BM_CHANGE_ACCESSED;
    }
    return 0;
}

int utimensat(int at, const char *path, const struct timespec times[2], int flags)
{
    struct bm_inode_change change;
    int error = bm_posix_times(times, &change);
    return error ? (int)bm_posix_result(-error) : change_at(at, path, flags, &change);
}

int futimens(int descriptor, const struct timespec times[2])
{
    struct bm_inode_change change;
    int error = bm_posix_times(times, &change);
    return error ? (int)bm_posix_result(-error) : change_of(descriptor, &change);
}

int utimes(const char *path, const struct timeval times[2])
{
    struct timespec exact[2];
    for (int i = 0; times && i < 2; i++)
        exact[i] = (struct timespec){.tv_sec = times[i].tv_sec, .tv_nsec = (long)times[i].tv_usec * 1000};
    return utimensat(AT_FDCWD, path, times ? exact : NULL, 0);
}
