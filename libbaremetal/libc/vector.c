// Input and output of several pieces, and at a position.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "terminal.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

BM_TERMINAL_INPUT_NEEDED;

_Static_assert(sizeof(struct iovec) == sizeof(struct bm_file_piece) &&
                   offsetof(struct iovec, iov_base) == offsetof(struct bm_file_piece, data) &&
                   offsetof(struct iovec, iov_len) == offsetof(struct bm_file_piece, size),
               "a piece is an iovec");

// Whether the lengths add up to what a result can tell.
static bool is_valid(const struct iovec *pieces, int count)
{
    size_t total = 0;
    if (count < 1 || count > IOV_MAX)
        return false;
    for (int i = 0; i < count; i++)
        if (__builtin_add_overflow(total, pieces[i].iov_len, &total) || total > SSIZE_MAX)
            return false;
    return true;
}

static long piece(struct bm_file *file, const struct iovec *at, bool writing)
{
    if (writing)
        return file->ops->write ? file->ops->write(file, at->iov_base, at->iov_len) : -EINVAL;
    return file->ops->read ? file->ops->read(file, at->iov_base, at->iov_len) : -EINVAL;
}

// Goes on until a piece is short, or nothing is there without waiting. What an earlier piece brought is a
// success even when a later one fails.
static long each_piece(struct bm_file *file, const struct iovec *pieces, int count, bool writing)
{
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len == 0 && count > 1)
            continue;
        if (total && !writing && file->ops->poll && !(file->ops->poll(file) & POLLIN))
            break;
        long part = piece(file, &pieces[i], writing);
        if (part < 0)
            return total ? total : part;
        total += part;
        if ((size_t)part < pieces[i].iov_len)
            break;
    }
    return total;
}

static ssize_t vector(int descriptor, const struct iovec *pieces, int count, bool writing)
{
    struct bm_file *file = bm_posix_find(descriptor, writing ? O_WRONLY : O_RDONLY);
    if (!file)
        return -1;
    long (*whole)(struct bm_file *, const struct bm_file_piece *, int) =
        writing ? file->ops->writev : file->ops->readv;
    long result;
    if (!is_valid(pieces, count))
        result = -EINVAL;
    else
        result = whole ? whole(file, (const void *)pieces, count) : each_piece(file, pieces, count, writing);
    return bm_posix_finish(file, result);
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
    return piece(&copy, at, writing);
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
