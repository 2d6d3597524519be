// Input and output of several pieces, and at a position.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "terminal.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

BM_TERMINAL_INPUT_NEEDED;

_Static_assert(sizeof(struct iovec) == sizeof(struct bm_file_piece) &&
                   offsetof(struct iovec, iov_base) == offsetof(struct bm_file_piece, data) &&
                   offsetof(struct iovec, iov_len) == offsetof(struct bm_file_piece, size),
               "a piece is an iovec");

static ssize_t vector(int descriptor, const struct iovec *pieces, int count, bool writing)
{
    struct bm_file *file = bm_posix_find(descriptor, writing ? O_WRONLY : O_RDONLY);
    if (!file)
        return -1;
    const struct bm_file_piece *as_pieces = (const void *)pieces;
    return bm_posix_finish(file, count < 1 ? -EINVAL
                                 : writing ? bm_file_writev(file, as_pieces, count)
                                           : bm_file_readv(file, as_pieces, count));
}

ssize_t readv(int descriptor, const struct iovec *pieces, int count)
{
    return vector(descriptor, pieces, count, false);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    return vector(descriptor, pieces, count, true);
}

// Files that several cores may use meanwhile have calls for that; of others, which only read, a copy with a
// position of its own is as good.
static long at_place(struct bm_file *file, const struct iovec *at, off_t offset, bool writing)
{
    if (writing && file->ops->write_at)
        return file->ops->write_at(file, at->iov_base, at->iov_len, (uint64_t)offset);
    if (!writing && file->ops->read_at)
        return file->ops->read_at(file, at->iov_base, at->iov_len, (uint64_t)offset);
    struct bm_file copy = {.ops = file->ops, .flags = file->flags, .state = file->state, .position = offset};
    const struct bm_file_piece *piece = (const void *)at;
    return writing ? bm_file_writev(&copy, piece, 1) : bm_file_readv(&copy, piece, 1);
}

static ssize_t at_offset(int descriptor, const struct iovec *at, off_t offset, bool writing)
{
    struct bm_file *file = bm_posix_find(descriptor, writing ? O_WRONLY : O_RDONLY);
    if (!file)
        return -1;
    long result = !file->ops->seek ? -ESPIPE : offset < 0 ? -EINVAL : at_place(file, at, offset, writing);
    return bm_posix_finish(file, result);
}

ssize_t pread(int descriptor, void *buffer, size_t size, off_t offset)
{
    return at_offset(descriptor, &(struct iovec){buffer, size}, offset, false);
}

ssize_t pwrite(int descriptor, const void *buffer, size_t size, off_t offset)
{
    return at_offset(descriptor, &(struct iovec){(void *)(uintptr_t)buffer, size}, offset, true);
}
