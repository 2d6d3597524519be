// Reading from descriptors, and vector and positioned input and output.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "terminal.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

BM_TERMINAL_INPUT_NEEDED;

ssize_t read(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = bm_posix_find(descriptor, O_RDONLY);
    if (!file)
        return -1;
    return bm_posix_finish(file, file->ops->read ? file->ops->read(file, buffer, size) : -EINVAL);
}

// Both go on until a piece is short; what an earlier piece brought is a success even when a later one fails.
static ssize_t each_piece(int descriptor, const struct iovec *pieces, int count, bool writing)
{
    if (count < 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len == 0)
            continue;
        ssize_t part = writing ? write(descriptor, pieces[i].iov_base, pieces[i].iov_len)
                               : read(descriptor, pieces[i].iov_base, pieces[i].iov_len);
        if (part < 0)
            return total ? total : -1;
        total += part;
        if ((size_t)part < pieces[i].iov_len)
            break;
    }
    return total;
}

ssize_t readv(int descriptor, const struct iovec *pieces, int count)
{
    return each_piece(descriptor, pieces, count, false);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    return each_piece(descriptor, pieces, count, true);
}

// No other core's call may fall between, but a program that uses one file's position on several cores needs
// its own lock anyway.
static ssize_t at_offset(int descriptor, void *buffer, size_t size, off_t offset, bool writing)
{
    off_t before = lseek(descriptor, 0, SEEK_CUR);
    if (before < 0 || lseek(descriptor, offset, SEEK_SET) < 0)
        return -1;
    ssize_t result = writing ? write(descriptor, buffer, size) : read(descriptor, buffer, size);
    int error = errno;
    lseek(descriptor, before, SEEK_SET);
    errno = error;
    return result;
}

ssize_t pread(int descriptor, void *buffer, size_t size, off_t offset)
{
    return at_offset(descriptor, buffer, size, offset, false);
}

ssize_t pwrite(int descriptor, const void *buffer, size_t size, off_t offset)
{
    return at_offset(descriptor, (void *)(uintptr_t)buffer, size, offset, true);
}
