// Mappings of files, which are linked into programs that open some.
// SPDX-License-Identifier: MIT
#include "../space/space.h"
#include "linux.h"

#include <baremetal/inode.h>
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

static bool is_mappable(const struct bm_file *file)
{
    enum { ZERO = 0x105 }; // /dev/zero
    return file->inode && file->ops->read_at &&
           (file->inode->type == BM_FILE_REGULAR ||
            (file->inode->type == BM_FILE_CHARACTER && file->inode->special == ZERO));
}

// The reasons against a mapping, in Linux' order. One that is shared and written would have to be the file's
// own pages: there is none yet.
static int refuse_file(const struct bm_file *file, int protection, int flags)
{
    int access = file->flags & LINUX_O_ACCMODE, type = flags & LINUX_MAP_TYPE;
    bool shared = type == LINUX_MAP_SHARED || type == LINUX_MAP_SHARED_VALIDATE;
    if (file->flags & LINUX_O_PATH)
        return -BM_EBADF;
    if (!shared && type != LINUX_MAP_PRIVATE)
        return -BM_EINVAL;
    if (type == LINUX_MAP_SHARED_VALIDATE && flags & ~LINUX_MAP_LEGACY)
        return -BM_EOPNOTSUPP;
    if (access == LINUX_O_WRONLY || (shared && protection & BM_SPACE_WRITE && access != LINUX_O_RDWR))
        return -BM_EACCES;
    return !is_mappable(file) || (shared && protection & BM_SPACE_WRITE) ? -BM_ENODEV : 0;
}

enum { ERROR_MAX = 4095 };

static int64_t map_copy(struct bm_file *file, uint64_t address, uint64_t length, int protection, bool keep,
                        long offset)
{
    int64_t mapped = bm_space_map(address, length, BM_SPACE_READ | BM_SPACE_WRITE, keep);
    if (mapped < 0 && mapped >= -ERROR_MAX) // addresses are of the upper half: negative, too
        return mapped;
    long error = read_file(file, (char *)mapped, length, (uint64_t)offset);
    if (!error && !(protection & BM_SPACE_WRITE))
        error = bm_space_protect((uint64_t)mapped, length, (unsigned)protection);
    if (error)
        bm_space_unmap((uint64_t)mapped, length);
    return error ? error : mapped;
}

long bm_linux_map_file(uint64_t address, uint64_t length, int protection, int flags, int descriptor,
                       long offset)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    long result = refuse_file(file, protection, flags);
    if (!result && (offset < 0 || length > (uint64_t)INT64_MAX - (uint64_t)offset))
        result = -BM_EOVERFLOW;
    if (!result)
        result = map_copy(file, address, length, protection, flags & LINUX_MAP_FIXED_NOREPLACE, offset);
    return bm_linux_finish(file, result);
}
