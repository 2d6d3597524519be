// What would change files that cannot be changed. A path that is not there is told first.
// SPDX-License-Identifier: MIT
#include "embedded.h"

static long refuse(int directory, const char *path)
{
    char resolved[LINUX_PATH_MAX];
    const struct bm_embedded_file *found;
    int error = bm_linux_path(directory, path, resolved);
    if (!error)
        error = bm_linux_find(resolved, &found);
    return error ? error : -BM_EROFS;
}

// One call that refuses by the path that it names.
#define REFUSE_PATH(name)                                                                                    \
    long bm_linux_##name(const char *path)                                                                   \
    {                                                                                                        \
        return refuse(LINUX_AT_FDCWD, path);                                                                 \
    }
#define REFUSE_AT(name)                                                                                      \
    long bm_linux_##name(int directory, const char *path)                                                    \
    {                                                                                                        \
        return refuse(directory, path);                                                                      \
    }
#define REFUSE_NEW(name)                                                                                     \
    long bm_linux_##name(void)                                                                               \
    {                                                                                                        \
        return -BM_EROFS;                                                                                    \
    }

REFUSE_PATH(unlink)
REFUSE_PATH(rmdir)
REFUSE_PATH(link)
REFUSE_PATH(rename)
REFUSE_PATH(chmod)
REFUSE_PATH(chown)
REFUSE_PATH(lchown)
REFUSE_PATH(truncate)
REFUSE_PATH(utimes)
REFUSE_AT(unlinkat)
REFUSE_AT(linkat)
REFUSE_AT(renameat)
REFUSE_AT(fchmodat)
REFUSE_AT(fchownat)
REFUSE_AT(utimensat)
REFUSE_NEW(mkdir)
REFUSE_NEW(mkdirat)
REFUSE_NEW(symlink)
REFUSE_NEW(symlinkat)
REFUSE_NEW(mknod)
REFUSE_NEW(mknodat)

static long refuse_open(int descriptor, long error)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, error) : -BM_EBADF;
}

long bm_linux_ftruncate(int descriptor, long size)
{
    (void)size;
    return refuse_open(descriptor, -BM_EINVAL);
}

long bm_linux_fchmod(int descriptor, unsigned mode)
{
    (void)mode;
    return refuse_open(descriptor, -BM_EROFS);
}

long bm_linux_fchown(int descriptor, unsigned user, unsigned group)
{
    (void)user;
    (void)group;
    return refuse_open(descriptor, -BM_EROFS);
}

// Nothing is held back.
long bm_linux_fsync(int descriptor)
{
    return refuse_open(descriptor, 0);
}

long bm_linux_fdatasync(int descriptor)
{
    return refuse_open(descriptor, 0);
}

long bm_linux_sync(void)
{
    return 0;
}

long bm_linux_umask(unsigned mode)
{
    static unsigned mask = 022;
    return (long)__atomic_exchange_n(&mask, mode & 0777, __ATOMIC_RELAXED);
}
