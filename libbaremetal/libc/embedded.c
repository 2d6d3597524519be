// Files that the build put into the image: found by path, opened read-only.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "status.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512 };

// `path` gains a slash for the while.
bool bm_embedded_is_directory(char *path)
{
    size_t length = strlen(path);
    if (length == 1)
        return true;
    if (length + 2 > PATH_MAX)
        return false;
    strcpy(path + length, "/");
    size_t index = bm_embedded_first_from(path);
    bool found =
        index < bm_embedded_file_count && strncmp(bm_embedded_files[index].path, path, length + 1) == 0;
    path[length] = 0;
    return found;
}

static void fill_status(struct bm_file_status *status, const struct bm_embedded_file *found)
{
    status->links = 1;
    status->block_size = BLOCK;
    if (!found) {
        status->mode = BM_FILE_DIRECTORY | 0555;
        return;
    }
    status->mode = BM_FILE_REGULAR | 0444;
    status->number = (uint64_t)(found - bm_embedded_files + 1);
    status->size = found->size;
    status->blocks = (found->size + BLOCK - 1) / BLOCK;
}

static long embedded_read(struct bm_file *file, void *buffer, size_t size)
{
    const struct bm_embedded_file *found = file->state;
    if (file->position >= (long long)found->size)
        return 0;
    size_t left = found->size - (size_t)file->position;
    if (size > left)
        size = left;
    memcpy(buffer, (const char *)found->data + file->position, size);
    file->position += (long long)size;
    return (long)size;
}

static long long embedded_seek(struct bm_file *file, long long offset, int whence)
{
    const struct bm_embedded_file *found = file->state;
    long long base = whence == SEEK_SET   ? 0
                     : whence == SEEK_CUR ? file->position
                     : whence == SEEK_END ? (long long)found->size
                                          : -1;
    if (base < 0 || __builtin_add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    return file->position = base;
}

static int embedded_stat(struct bm_file *file, struct bm_file_status *status)
{
    fill_status(status, file->state);
    return 0;
}

static int embedded_close(struct bm_file *file)
{
    free(file);
    return 0;
}

static const struct bm_file_ops embedded_ops = {
    .read = embedded_read, .seek = embedded_seek, .stat = embedded_stat, .close = embedded_close};

static long directory_read(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return -EISDIR;
}

static const struct bm_file_ops directory_ops = {
    .read = directory_read, .stat = embedded_stat, .close = embedded_close};

static int install(const struct bm_file_ops *ops, int flags, const struct bm_embedded_file *found)
{
    struct bm_file *file = malloc(sizeof *file);
    if (!file)
        return -ENOMEM;
    *file = (struct bm_file){.ops = ops, .flags = flags, .state = (void *)(uintptr_t)found};
    int descriptor = bm_file_install(file, 0);
    if (descriptor < 0)
        free(file);
    return descriptor;
}

static int open_resolved(char path[PATH_MAX], int flags)
{
    const struct bm_embedded_file *found = bm_embedded_file_find(path);
    bool directory = !found && bm_embedded_is_directory(path);
    bool writing = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    if (!found && !directory)
        return flags & O_CREAT ? -EROFS : -ENOENT;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (directory && writing)
        return -EISDIR;
    if (writing)
        return -EROFS;
    if (!directory && flags & O_DIRECTORY)
        return -ENOTDIR;
    return install(directory ? &directory_ops : &embedded_ops, flags & ~(O_CREAT | O_EXCL), found);
}

int open(const char *path, int flags, ...)
{
    char resolved[PATH_MAX];
    int error = bm_path_resolve(path, resolved);
    return (int)bm_posix_result(error ? -error : open_resolved(resolved, flags));
}

int stat(const char *restrict path, struct stat *restrict status)
{
    char resolved[PATH_MAX];
    int error = bm_path_resolve(path, resolved);
    if (error)
        return (int)bm_posix_result(-error);
    const struct bm_embedded_file *found = bm_embedded_file_find(resolved);
    if (!found && !bm_embedded_is_directory(resolved))
        return (int)bm_posix_result(-ENOENT);
    struct bm_file_status said = {0};
    fill_status(&said, found);
    bm_posix_status(status, &said);
    return 0;
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    return stat(path, status); // there are no links
}

int access(const char *path, int mode)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return -1;
    if (mode & W_OK)
        return (int)bm_posix_result(-EROFS);
    if (mode & X_OK && !S_ISDIR(status.st_mode))
        return (int)bm_posix_result(-EACCES);
    return 0;
}

char *getcwd(char *buffer, size_t size)
{
    if (!buffer || size == 0)
        errno = EINVAL;
    else if (size < 2)
        errno = ERANGE;
    else
        return strcpy(buffer, "/");
    return NULL;
}

// What would change a file system that cannot be changed. A path that is not there is told first.
static int refuse_change(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0)
        errno = EROFS;
    return -1;
}

int unlink(const char *path)
{
    return refuse_change(path);
}

int rmdir(const char *path)
{
    return refuse_change(path);
}

int link(const char *from, const char *to)
{
    (void)to;
    return refuse_change(from);
}

int rename(const char *from, const char *to)
{
    (void)to;
    return refuse_change(from);
}

int chmod(const char *path, mode_t mode)
{
    (void)mode;
    return refuse_change(path);
}

int truncate(const char *path, off_t length)
{
    (void)length;
    return refuse_change(path);
}

int mkdir(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    errno = EROFS;
    return -1;
}

mode_t umask(mode_t mode)
{
    (void)mode;
    return 022;
}

int fsync(int descriptor)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return -1;
    return (int)bm_posix_finish(file, 0);
}

int ftruncate(int descriptor, off_t length)
{
    (void)length;
    struct bm_file *file = bm_posix_find(descriptor, O_WRONLY);
    if (!file)
        return -1;
    return (int)bm_posix_finish(file, -EINVAL);
}
