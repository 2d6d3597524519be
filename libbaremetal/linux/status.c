// What is known of a file.
// SPDX-License-Identifier: MIT
#include "embedded.h"

static struct linux_timespec time_of(int64_t nanoseconds)
{
    return (struct linux_timespec){nanoseconds / 1000000000, nanoseconds % 1000000000};
}

static void fill(struct linux_stat *to, const struct bm_file_status *from)
{
    *to = (struct linux_stat){.device = from->device,
                              .number = from->number,
                              .links = from->links,
                              .mode = from->mode,
                              .size = (int64_t)from->size,
                              .block_size = from->block_size,
                              .blocks = (int64_t)from->blocks,
                              .accessed = time_of(from->accessed),
                              .modified = time_of(from->modified),
                              .changed = time_of(from->changed)};
}

long bm_linux_fstat(int descriptor, struct linux_stat *status)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    struct bm_file_status said = {0};
    int result = file->ops->stat ? file->ops->stat(file, &said) : -BM_EINVAL;
    if (result == 0)
        fill(status, &said);
    return bm_linux_finish(file, result);
}

long bm_linux_newfstatat(int directory, const char *path, struct linux_stat *status, int flags)
{
    char resolved[LINUX_PATH_MAX];
    const struct bm_embedded_file *found;
    if (flags & LINUX_AT_EMPTY_PATH && path && !*path)
        return bm_linux_fstat(directory, status);
    int error = bm_linux_path(directory, path, resolved);
    if (!error)
        error = bm_linux_find(resolved, &found);
    if (error)
        return error;
    struct bm_file_status said;
    bm_linux_embedded_status(&said, found);
    fill(status, &said);
    return 0;
}

long bm_linux_stat(const char *path, struct linux_stat *status)
{
    return bm_linux_newfstatat(LINUX_AT_FDCWD, path, status, 0);
}

long bm_linux_lstat(const char *path, struct linux_stat *status)
{
    return bm_linux_newfstatat(LINUX_AT_FDCWD, path, status, 0); // there are no links
}

long bm_linux_faccessat(int directory, const char *path, int mode)
{
    struct linux_stat status;
    long error = bm_linux_newfstatat(directory, path, &status, 0);
    if (error)
        return error;
    if (mode & LINUX_W_OK)
        return -BM_EROFS;
    return mode & LINUX_X_OK && (status.mode & 0170000) != BM_FILE_DIRECTORY ? -BM_EACCES : 0;
}

long bm_linux_faccessat2(int directory, const char *path, int mode, int flags)
{
    (void)flags;
    return bm_linux_faccessat(directory, path, mode);
}

long bm_linux_access(const char *path, int mode)
{
    return bm_linux_faccessat(LINUX_AT_FDCWD, path, mode);
}

static long no_link(int directory, const char *path)
{
    struct linux_stat status;
    long error = bm_linux_newfstatat(directory, path, &status, 0);
    return error ? error : -BM_EINVAL;
}

long bm_linux_readlink(const char *path, char *buffer, size_t size)
{
    (void)buffer;
    (void)size;
    return no_link(LINUX_AT_FDCWD, path);
}

long bm_linux_readlinkat(int directory, const char *path, char *buffer, size_t size)
{
    (void)buffer;
    (void)size;
    return no_link(directory, path);
}
