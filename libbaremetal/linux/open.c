// Opening files that the build put into the image.
// SPDX-License-Identifier: MIT
#include "embedded.h"

static long embedded_read(struct bm_file *file, void *buffer, size_t size)
{
    const struct bm_embedded_file *found = file->state;
    if (file->position >= (long long)found->size)
        return 0;
    size_t left = found->size - (size_t)file->position;
    if (size > left)
        size = left;
    __builtin_memcpy(buffer, (const char *)found->data + file->position, size);
    file->position += (long long)size;
    return (long)size;
}

static long long embedded_seek(struct bm_file *file, long long offset, int whence)
{
    const struct bm_embedded_file *found = file->state;
    long long base = whence == LINUX_SEEK_SET   ? 0
                     : whence == LINUX_SEEK_CUR ? file->position
                     : whence == LINUX_SEEK_END ? (long long)found->size
                                                : -1;
    if (base < 0 || __builtin_add_overflow(base, offset, &base) || base < 0)
        return -BM_EINVAL;
    return file->position = base;
}

static int embedded_stat(struct bm_file *file, struct bm_file_status *status)
{
    bm_linux_embedded_status(status, file->state);
    return 0;
}

static const struct bm_file_ops embedded_ops = {
    .read = embedded_read, .seek = embedded_seek, .stat = embedded_stat, .close = bm_linux_free};

static long install(struct bm_file *file)
{
    int descriptor = bm_file_install(file, 0);
    if (descriptor < 0)
        bm_linux_free(file);
    return descriptor;
}

static long open_file(int flags, const struct bm_embedded_file *found)
{
    if (flags & LINUX_O_DIRECTORY)
        return -BM_ENOTDIR;
    struct bm_file *file = bm_linux_new(&embedded_ops, flags & ~(LINUX_O_CREAT | LINUX_O_EXCL));
    if (!file)
        return -BM_ENOMEM;
    file->state = (void *)(uintptr_t)found;
    return install(file);
}

// Its state is its path, which stands behind it.
static long open_directory(int flags, const char *path)
{
    struct bm_file *file = bm_linux_new(&bm_linux_directory_ops, flags);
    size_t length = __builtin_strlen(path);
    if (!file || length + 1 + sizeof *file > LINUX_PATH_MAX) {
        bm_linux_free(file);
        return file ? -BM_ENAMETOOLONG : -BM_ENOMEM;
    }
    file->state = file + 1;
    __builtin_memcpy(file + 1, path, length + 1);
    return install(file);
}

long bm_linux_openat(int directory, const char *path, int flags, unsigned mode)
{
    (void)mode;
    char resolved[LINUX_PATH_MAX];
    const struct bm_embedded_file *found;
    int error = bm_linux_path(directory, path, resolved);
    if (error)
        return error;
    bool writing = (flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY || flags & LINUX_O_TRUNC;
    error = bm_linux_find(resolved, &found);
    if (error)
        return error == -BM_ENOENT && flags & LINUX_O_CREAT ? -BM_EROFS : error;
    if (flags & LINUX_O_CREAT && flags & LINUX_O_EXCL)
        return -BM_EEXIST;
    if (writing)
        return found ? -BM_EROFS : -BM_EISDIR;
    return found ? open_file(flags, found) : open_directory(flags, resolved);
}

long bm_linux_open(const char *path, int flags, unsigned mode)
{
    return bm_linux_openat(LINUX_AT_FDCWD, path, flags, mode);
}
