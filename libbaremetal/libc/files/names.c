// Calls that make, move and remove names.
// SPDX-License-Identifier: MIT
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int mkdirat(int at, const char *path, mode_t mode)
{
    return (int)bm_posix_result(bm_path_mkdir(at, path, mode));
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int mknod(const char *path, mode_t mode, dev_t device)
{
    return (int)bm_posix_result(bm_path_mknod(AT_FDCWD, path, mode, (uint64_t)device));
}

int mkfifo(const char *path, mode_t mode)
{
    return mknod(path, S_IFIFO | (mode & ~(mode_t)S_IFMT), 0);
}

int unlinkat(int at, const char *path, int flags)
{
    return (int)bm_posix_result(flags & ~AT_REMOVEDIR ? -EINVAL : bm_path_unlink(at, path, flags));
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

// Here so that the C library's, which calls remove's parts, is of no matter: a directory or another file.
int remove(const char *path)
{
    int error = bm_path_unlink(AT_FDCWD, path, 0);
    return (int)bm_posix_result(error == -EISDIR ? bm_path_unlink(AT_FDCWD, path, AT_REMOVEDIR) : error);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return (int)bm_posix_result(bm_path_rename(from_at, from, to_at, to, 0));
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    return (int)bm_posix_result(bm_path_link(from_at, from, to_at, to, flags));
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int at, const char *path)
{
    return (int)bm_posix_result(bm_path_symlink(target, at, path));
}

int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

ssize_t readlinkat(int at, const char *restrict path, char *restrict buffer, size_t size)
{
    return bm_posix_result(bm_path_readlink(at, path, buffer, size));
}

ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    return readlinkat(AT_FDCWD, path, buffer, size);
}
