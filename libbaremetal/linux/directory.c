// Directories: their entries, and the working directory.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/path.h>

// Of an entry with that name. (That of an old one ends with its type, behind the name.)
static size_t size_of(size_t length)
{
    return (offsetof(struct linux_directory_entry, name) + length + 1 + 7) & ~(size_t)7;
}

static void put_old(char *at, const struct bm_inode_entry *from)
{
    struct linux_old_directory_entry *entry = (void *)at;
    entry->number = from->number;
    entry->next = (int64_t)from->cookie;
    entry->size = (uint16_t)size_of(from->length);
    __builtin_memset(entry->name, 0, entry->size - offsetof(struct linux_old_directory_entry, name));
    __builtin_memcpy(entry->name, from->name, from->length);
    at[entry->size - 1] = (char)(from->type >> 12);
}

static void put(char *at, const struct bm_inode_entry *from)
{
    struct linux_directory_entry *entry = (void *)at;
    entry->number = from->number;
    entry->next = (int64_t)from->cookie;
    entry->size = (uint16_t)size_of(from->length);
    entry->type = (uint8_t)(from->type >> 12);
    __builtin_memcpy(entry->name, from->name, from->length + 1);
}

// As many entries as fit. One that has been taken and does not fit is put back; where several threads read
// the same open directory nobody may come between, so that is done for the first one alone.
static long read_entries(struct bm_file *file, char *buffer, size_t size,
                         void (*put_entry)(char *at, const struct bm_inode_entry *from))
{
    struct bm_inode_entry entry;
    long long before = file->ops->seek ? file->ops->seek(file, 0, BM_SEEK_CUR) : 0;
    size_t used = 0;
    while (!used || size - used >= size_of(BM_NAME_MAX)) {
        int result = bm_file_entry(file, &entry);
        if (result <= 0)
            return used || result == 0 ? (long)used : result;
        if (size_of(entry.length) > size - used) {
            file->ops->seek(file, before, BM_SEEK_SET);
            return -BM_EINVAL;
        }
        put_entry(buffer + used, &entry);
        used += size_of(entry.length);
    }
    return (long)used;
}

long bm_linux_getdents64(int descriptor, void *buffer, unsigned size)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, read_entries(file, buffer, size, put)) : -BM_EBADF;
}

long bm_linux_getdents(int descriptor, void *buffer, unsigned size)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, read_entries(file, buffer, size, put_old)) : -BM_EBADF;
}

long bm_linux_getcwd(char *buffer, size_t size)
{
    return bm_path_getcwd(buffer, size);
}

long bm_linux_chdir(const char *path)
{
    return bm_path_chdir(BM_AT_FDCWD, path, 0);
}

long bm_linux_fchdir(int descriptor)
{
    return descriptor < 0 ? -BM_EBADF : bm_path_chdir(descriptor, "", BM_AT_EMPTY_PATH);
}
