// Calls on ranges: of descriptors, and of files that are to be read or written soon.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/inode.h>

long bm_linux_close_range(unsigned first, unsigned last, unsigned flags)
{
    enum { UNSHARE = 2, CLOEXEC = 4 }; // there is nobody to share with
    if (first > last || flags & ~(UNSHARE | CLOEXEC))
        return -BM_EINVAL;
    for (unsigned i = first; i <= last && i < BM_FILES_MAX; i++)
        if (flags & CLOEXEC)
            bm_file_set_cloexec((int)i, true);
        else
            bm_file_close((int)i);
    return 0;
}

// Files are in memory, or come when they are asked for.
long bm_linux_readahead(int descriptor, long offset, size_t count)
{
    (void)offset;
    (void)count;
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    uint32_t type = file->inode ? file->inode->type : 0;
    return bm_linux_finish(file, type == BM_FILE_REGULAR || type == BM_FILE_BLOCK ? 0 : -BM_EINVAL);
}

long bm_linux_sync_file_range(int descriptor, long offset, long size, unsigned flags)
{
    enum { WAIT_BEFORE = 1, WRITE = 2, WAIT_AFTER = 4 };
    if (offset < 0 || size < 0 || offset > INT64_MAX - size || flags & ~(WAIT_BEFORE | WRITE | WAIT_AFTER))
        return -BM_EINVAL;
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    long error = bm_linux_finish(file, file->ops->seek ? 0 : -BM_ESPIPE);
    error = error ? error : bm_linux_fdatasync(descriptor);
    return error == -BM_EINVAL ? -BM_ESPIPE : error; // nothing that is kept
}
