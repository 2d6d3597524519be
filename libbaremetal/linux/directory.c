// Directories: what lies below a path, and the working directory.
// SPDX-License-Identifier: MIT
//
// The files are sorted, so what lies below a directory stands together, and so does what lies below each of
// its directories. The position of an open directory is the index of the next file, plus one.
#include "embedded.h"

static int directory_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    bm_linux_embedded_status(status, NULL);
    return 0;
}

static long directory_read(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return -BM_EISDIR;
}

static long long directory_seek(struct bm_file *file, long long offset, int whence)
{
    if (whence != LINUX_SEEK_SET || offset < 0)
        return -BM_EINVAL;
    return file->position = offset;
}

const struct bm_file_ops bm_linux_directory_ops = {
    .read = directory_read, .seek = directory_seek, .stat = directory_stat, .close = bm_linux_free};

static size_t part_length(const char *name)
{
    size_t length = 0;
    while (name[length] && name[length] != '/')
        length++;
    return length;
}

static bool below(size_t index, const char *prefix, size_t length)
{
    if (index >= bm_embedded_file_count)
        return false;
    for (size_t i = 0; i < length; i++)
        if (bm_embedded_files[index].path[i] != prefix[i])
            return false;
    return true;
}

static size_t put(char *at, size_t room, uint64_t number, long next, unsigned type, const char *name,
                  size_t length)
{
    struct linux_directory_entry *entry = (void *)at;
    size_t size = (offsetof(struct linux_directory_entry, name) + length + 1 + 7) & ~(size_t)7;
    if (size > room)
        return 0;
    entry->number = number;
    entry->next = next;
    entry->size = (uint16_t)size;
    entry->type = (uint8_t)(type >> 12);
    __builtin_memcpy(entry->name, name, length);
    entry->name[length] = 0;
    return size;
}

// Writes the entry at the file's position into at[room]. Returns its size, 0 when it does not fit, or -1 at
// the end.
static long put_next(struct bm_file *file, const char *prefix, size_t length, char *at, size_t room)
{
    static const char dots[] = "..";
    size_t size;
    if (file->position < 2) {
        size = put(at, room, 1, file->position + 1, BM_FILE_DIRECTORY, dots, (size_t)file->position + 1);
        file->position += size != 0;
        return (long)size;
    }
    size_t first = file->position == 2 ? bm_embedded_first_from(prefix) : (size_t)file->position - 3;
    if (!below(first, prefix, length))
        return -1;
    const char *path = bm_embedded_files[first].path, *name = path + length;
    size_t part = part_length(name), next = first + 1;
    bool folder = name[part] == '/';
    while (folder && below(next, path, length + part + 1))
        next++;
    size = put(at, room, first + 2, (long)next + 3, folder ? BM_FILE_DIRECTORY : BM_FILE_REGULAR, name, part);
    if (size)
        file->position = (long long)next + 3;
    return (long)size;
}

static long read_entries(struct bm_file *file, char *buffer, size_t size)
{
    char prefix[LINUX_PATH_MAX + 1];
    size_t length = __builtin_strlen(file->state), used = 0;
    __builtin_memcpy(prefix, file->state, length + 1);
    if (length > 1) // the root is its own slash
        prefix[length++] = '/';
    prefix[length] = 0;
    for (;;) {
        long part = put_next(file, prefix, length, buffer + used, size - used);
        if (part <= 0)
            return part == 0 && !used ? -BM_EINVAL : (long)used;
        used += (size_t)part;
    }
}

long bm_linux_getdents64(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    bool is_directory = file->ops == &bm_linux_directory_ops;
    return bm_linux_finish(file, is_directory ? read_entries(file, buffer, size) : -BM_ENOTDIR);
}

long bm_linux_getcwd(char *buffer, size_t size)
{
    if (size < 2)
        return -BM_ERANGE;
    __builtin_memcpy(buffer, "/", 2);
    return 2;
}

// The root is the only one that can be gone to.
long bm_linux_chdir(const char *path)
{
    char resolved[LINUX_PATH_MAX];
    const struct bm_embedded_file *found;
    int error = bm_linux_path(LINUX_AT_FDCWD, path, resolved);
    if (!error)
        error = bm_linux_find(resolved, &found);
    if (error)
        return error;
    if (found)
        return -BM_ENOTDIR;
    return resolved[1] ? -BM_EACCES : 0;
}
