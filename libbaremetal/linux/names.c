// Calls that make, move and remove names.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/path.h>

long bm_linux_mkdirat(int directory, const char *path, unsigned mode)
{
    return bm_path_mkdir(directory, path, mode);
}

long bm_linux_mkdir(const char *path, unsigned mode)
{
    return bm_path_mkdir(BM_AT_FDCWD, path, mode);
}

long bm_linux_mknodat(int directory, const char *path, unsigned mode, unsigned device)
{
    return bm_path_mknod(directory, path, mode, device);
}

long bm_linux_mknod(const char *path, unsigned mode, unsigned device)
{
    return bm_path_mknod(BM_AT_FDCWD, path, mode, device);
}

long bm_linux_unlinkat(int directory, const char *path, int flags)
{
    return flags & ~BM_AT_REMOVEDIR ? -BM_EINVAL : bm_path_unlink(directory, path, flags);
}

long bm_linux_unlink(const char *path)
{
    return bm_path_unlink(BM_AT_FDCWD, path, 0);
}

long bm_linux_rmdir(const char *path)
{
    return bm_path_unlink(BM_AT_FDCWD, path, BM_AT_REMOVEDIR);
}

long bm_linux_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    if (flags & ~(BM_AT_SYMLINK_FOLLOW | BM_AT_EMPTY_PATH))
        return -BM_EINVAL;
    return bm_path_link(from_directory, from, to_directory, to, flags);
}

long bm_linux_link(const char *from, const char *to)
{
    return bm_path_link(BM_AT_FDCWD, from, BM_AT_FDCWD, to, 0);
}

long bm_linux_symlinkat(const char *target, int directory, const char *path)
{
    return bm_path_symlink(target, directory, path);
}

long bm_linux_symlink(const char *target, const char *path)
{
    return bm_path_symlink(target, BM_AT_FDCWD, path);
}

long bm_linux_renameat2(int from_directory, const char *from, int to_directory, const char *to,
                        unsigned flags)
{
    return bm_path_rename(from_directory, from, to_directory, to, flags);
}

long bm_linux_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return bm_path_rename(from_directory, from, to_directory, to, 0);
}

long bm_linux_rename(const char *from, const char *to)
{
    return bm_path_rename(BM_AT_FDCWD, from, BM_AT_FDCWD, to, 0);
}

long bm_linux_readlinkat(int directory, const char *path, char *buffer, int size)
{
    return size <= 0 ? -BM_EINVAL : bm_path_readlink(directory, path, buffer, (size_t)size);
}

long bm_linux_readlink(const char *path, char *buffer, int size)
{
    return bm_linux_readlinkat(BM_AT_FDCWD, path, buffer, size);
}
