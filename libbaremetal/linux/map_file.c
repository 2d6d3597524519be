// Mappings of files, which are linked into programs that open some.
// SPDX-License-Identifier: MIT
#include "../space/space.h"
#include "linux.h"
#include "map.h"

#include <baremetal/memory.h>

const char bm_linux_map_file_linked = 1;

// A copy of a part of a file; behind its end are zeros.
static long read_file(struct bm_file *file, char *to, size_t length, uint64_t offset)
{
    long part = 1;
    for (size_t done = 0; part > 0 && done < length; done += (size_t)(part > 0 ? part : 0))
        part = file->ops->read_at(file, to + done, length - done, offset + done);
    return part < 0 ? part : 0;
}

static bool is_zero(const struct bm_inode *inode)
{
    enum { ZERO = 0x105 }; // /dev/zero
    return inode->type == BM_FILE_CHARACTER && inode->special == ZERO;
}

// The reasons against a mapping, in Linux' order.
static int refuse_file(const struct bm_file *file, unsigned protection, int flags)
{
    int access = file->flags & LINUX_O_ACCMODE, type = flags & LINUX_MAP_TYPE;
    bool writes = type != LINUX_MAP_PRIVATE && protection & BM_SPACE_WRITE;
    if (file->flags & LINUX_O_PATH)
        return -BM_EBADF;
    if (type == LINUX_MAP_SHARED_VALIDATE && flags & ~LINUX_MAP_LEGACY)
        return -BM_EOPNOTSUPP;
    if (access == LINUX_O_WRONLY || (writes && access != LINUX_O_RDWR))
        return -BM_EACCES;
    if (!file->inode || !file->ops->read_at)
        return -BM_ENODEV;
    if (is_zero(file->inode))
        return 0;
    return file->inode->type != BM_FILE_REGULAR || (writes && !file->inode->ops->shares) ? -BM_ENODEV : 0;
}

// Of what has pages, those that begin before its end are copied.
static uint64_t copied_bytes(const struct bm_inode *inode, const struct bm_linux_mapping *what)
{
    uint64_t size = atomic_load(&inode->size), offset = (uint64_t)what->offset;
    uint64_t left = size > offset ? (size - offset + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1) : 0;
    return inode->ops->page && left < what->length ? left : what->length;
}

static long fill_copy(struct bm_file *file, const struct bm_linux_mapping *what, uint64_t to, uint64_t length)
{
    int64_t mapped = bm_space_map(to, length, BM_SPACE_READ | BM_SPACE_WRITE, false);
    if (bm_linux_is_error(mapped))
        return (long)mapped;
    long error = read_file(file, (char *)to, length, (uint64_t)what->offset);
    if (!error && what->protection != (BM_SPACE_READ | BM_SPACE_WRITE))
        error = bm_space_protect(to, length, what->protection);
    return error;
}

// As the file is now, since its pages do not stay. Behind its end there are none.
static int64_t map_copy(struct bm_file *file, const struct bm_linux_mapping *what)
{
    uint64_t length = copied_bytes(file->inode, what);
    struct bm_linux_mapping place = *what;
    place.populate = false;
    int64_t mapped = bm_linux_map_pages(file, &place, false);
    if (bm_linux_is_error(mapped) || !length)
        return mapped;
    long error = fill_copy(file, what, (uint64_t)mapped, length);
    if (error)
        bm_space_unmap((uint64_t)mapped, what->length);
    return error ? error : mapped;
}

static int64_t map_of(struct bm_file *file, const struct bm_linux_mapping *what, int flags)
{
    if (is_zero(file->inode))
        return bm_linux_map_anonymous(what->address, what->length, (int)what->protection, flags);
    return file->inode->ops->shares
               ? bm_linux_map_pages(file, what, (flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE)
               : map_copy(file, what);
}

long bm_linux_map_file(uint64_t address, uint64_t length, int protection, int flags, int descriptor,
                       long offset)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    struct bm_linux_mapping what = {.address = address,
                                    .length = length,
                                    .protection = (unsigned)protection,
                                    .offset = offset,
                                    .keep = flags & LINUX_MAP_FIXED_NOREPLACE,
                                    .populate = flags & (LINUX_MAP_POPULATE | LINUX_MAP_LOCKED)};
    long result = refuse_file(file, what.protection, flags);
    if (!result && (offset < 0 || length > (uint64_t)INT64_MAX - (uint64_t)offset))
        result = -BM_EOVERFLOW;
    if (!result)
        result = map_of(file, &what, flags);
    return bm_linux_finish(file, result);
}
