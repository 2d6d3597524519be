// The embedded files' paths, read as a tree.
// SPDX-License-Identifier: MIT
#include "embedded.h"

#include <baremetal/memory.h>

enum { BLOCK = 512 };

// Adds one part of a path to out[length]; returns the new length, or 0 when it is too long.
static size_t add_part(char *out, size_t length, const char *part, size_t size)
{
    if (size == 2 && part[0] == '.' && part[1] == '.') {
        while (length > 1 && out[--length] != '/')
            ;
        return length > 1 ? length : 1;
    }
    if (!size || (size == 1 && *part == '.'))
        return length;
    if (length + size + 2 > LINUX_PATH_MAX)
        return 0;
    if (length > 1)
        out[length++] = '/';
    __builtin_memcpy(out + length, part, size);
    return length + size;
}

// There is one working directory, the root; an open directory is known by its prefix.
int bm_linux_path(int directory, const char *path, char *out)
{
    size_t length = 1;
    out[0] = '/';
    if (!path)
        return -BM_EFAULT;
    if (!*path)
        return -BM_ENOENT;
    if (*path != '/' && directory != LINUX_AT_FDCWD) {
        struct bm_file *file = bm_linux_file(directory, -1);
        if (!file)
            return -BM_EBADF;
        const char *prefix = file->ops == &bm_linux_directory_ops ? file->state : NULL;
        for (length = 0; prefix && prefix[length]; length++)
            out[length] = prefix[length];
        bm_file_release(file);
        if (!prefix)
            return -BM_ENOTDIR;
    }
    while (*path) {
        size_t part = 0;
        while (path[part] && path[part] != '/')
            part++;
        length = add_part(out, length, path, part);
        if (!length)
            return -BM_ENAMETOOLONG;
        path += part + (path[part] == '/');
    }
    out[length] = 0;
    return 0;
}

// `path` gains a slash for the while.
int bm_linux_find(char *path, const struct bm_embedded_file **file)
{
    *file = bm_embedded_file_find(path);
    size_t length = __builtin_strlen(path);
    if (*file || length == 1)
        return 0;
    if (length + 2 > LINUX_PATH_MAX)
        return -BM_ENAMETOOLONG;
    path[length] = '/';
    path[length + 1] = 0;
    size_t index = bm_embedded_first_from(path);
    bool found = index < bm_embedded_file_count &&
                 __builtin_memcmp(bm_embedded_files[index].path, path, length + 1) == 0;
    path[length] = 0;
    return found ? 0 : -BM_ENOENT;
}

void bm_linux_embedded_status(struct bm_file_status *status, const struct bm_embedded_file *found)
{
    *status = (struct bm_file_status){.mode = BM_FILE_DIRECTORY | 0555, .links = 1, .block_size = BLOCK};
    if (!found)
        return;
    status->mode = BM_FILE_REGULAR | 0444;
    status->number = (uint64_t)(found - bm_embedded_files + 1);
    status->size = found->size;
    status->blocks = (found->size + BLOCK - 1) / BLOCK;
}

// A page each: what is open at the same time is little.
struct bm_file *bm_linux_new(const struct bm_file_ops *ops, int flags)
{
    struct bm_file *file = bm_frame_allocate(0);
    if (file)
        *file = (struct bm_file){.ops = ops, .flags = flags};
    return file;
}

int bm_linux_free(struct bm_file *file)
{
    bm_frame_free(file, 0);
    return 0;
}
