// Input and output at a position, of one piece or several.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "reach.h"
#include "signals.h"

enum { RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC };

// What cannot seek says so before anything else.
static long at_position(int descriptor, const struct bm_file_piece *pieces, int count, long offset,
                        bool writing)
{
    if (offset < 0)
        return -BM_EINVAL;
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    if (file->flags & LINUX_O_PATH)
        return bm_linux_finish(file, -BM_EBADF);
    if (!file->ops->seek)
        return bm_linux_finish(file, -BM_ESPIPE);
    bm_file_release(file);
    file = bm_linux_file(descriptor, writing ? LINUX_O_WRONLY : LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    if (!pieces && count > 0)
        return bm_linux_finish(file, -BM_EFAULT);
    struct bm_linux_pieces what = {.pieces = pieces, .count = count};
    if (bm_linux_reach_pieces && bm_linux_reach_pieces(file, &what, !writing))
        return bm_linux_finish(file, -BM_EFAULT);
    if (!writing)
        return bm_linux_finish(file, bm_file_readv_at(file, what.pieces, what.count, (uint64_t)offset));
    return bm_linux_size_result(
        bm_linux_finish(file, bm_file_writev_at(file, what.pieces, what.count, (uint64_t)offset)));
}

// One piece; without any when there is no memory of that size.
static long one_at_position(int descriptor, void *buffer, size_t size, long offset, bool writing)
{
    const struct bm_file_piece piece = {buffer, size};
    return at_position(descriptor, size > INT64_MAX ? NULL : &piece, 1, offset, writing);
}

long bm_linux_pread64(int descriptor, void *buffer, size_t size, long offset)
{
    return one_at_position(descriptor, buffer, size, offset, false);
}

long bm_linux_pwrite64(int descriptor, const void *buffer, size_t size, long offset)
{
    return one_at_position(descriptor, (void *)(uintptr_t)buffer, size, offset, true);
}

// The position is one number on x86-64; its upper half means nothing.
long bm_linux_preadv(int descriptor, const struct bm_file_piece *pieces, int count, long offset)
{
    return at_position(descriptor, pieces, count, offset, false);
}

long bm_linux_pwritev(int descriptor, const struct bm_file_piece *pieces, int count, long offset)
{
    return at_position(descriptor, pieces, count, offset, true);
}

long bm_linux_preadv2(int descriptor, const struct bm_file_piece *pieces, int count, long offset, long upper,
                      int flags)
{
    (void)upper;
    if (flags & ~KNOWN)
        return -BM_EOPNOTSUPP;
    return offset == -1 ? bm_linux_readv(descriptor, pieces, count)
                        : at_position(descriptor, pieces, count, offset, false);
}

long bm_linux_pwritev2(int descriptor, const struct bm_file_piece *pieces, int count, long offset, long upper,
                       int flags)
{
    (void)upper;
    if (flags & ~KNOWN)
        return -BM_EOPNOTSUPP;
    long result = offset == -1 ? bm_linux_writev(descriptor, pieces, count)
                               : at_position(descriptor, pieces, count, offset, true);
    if (result > 0 && flags & (RWF_DSYNC | RWF_SYNC)) {
        long error = flags & RWF_SYNC ? bm_linux_fsync(descriptor) : bm_linux_fdatasync(descriptor);
        if (error && error != -BM_EINVAL) // what cannot be made safe is none
            return error;
    }
    return result;
}
