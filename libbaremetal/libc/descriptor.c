// The POSIX calls on descriptors: each finds the file and asks its operations.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SETTABLE = O_NONBLOCK | O_APPEND };

// Finds the file when its access mode allows `mode` (O_RDONLY, O_WRONLY, or -1 for any); NULL with EBADF
// otherwise.
static struct bm_file *find(int descriptor, int mode)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (file && (mode < 0 || (file->flags & O_ACCMODE) == mode || (file->flags & O_ACCMODE) == O_RDWR))
        return file;
    if (file)
        bm_file_release(file);
    errno = EBADF;
    return NULL;
}

static long finish(struct bm_file *file, long result)
{
    bm_file_release(file);
    return bm_posix_result(result);
}

ssize_t read(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = find(descriptor, O_RDONLY);
    if (!file)
        return -1;
    return finish(file, file->ops->read ? file->ops->read(file, buffer, size) : -EINVAL);
}

ssize_t write(int descriptor, const void *buffer, size_t size)
{
    struct bm_file *file = find(descriptor, O_WRONLY);
    if (!file)
        return -1;
    return finish(file, file->ops->write ? file->ops->write(file, buffer, size) : -EINVAL);
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

off_t lseek(int descriptor, off_t offset, int whence)
{
    struct bm_file *file = find(descriptor, -1);
    if (!file)
        return -1;
    return (off_t)finish(file, file->ops->seek ? (long)file->ops->seek(file, offset, whence) : -ESPIPE);
}

int fstat(int descriptor, struct stat *status)
{
    struct bm_file *file = find(descriptor, -1);
    if (!file)
        return -1;
    return (int)finish(file, file->ops->stat ? file->ops->stat(file, status) : -EINVAL);
}

int isatty(int descriptor)
{
    struct bm_file *file = find(descriptor, -1);
    if (!file)
        return 0;
    bool terminal = file->ops == bm_terminal_file.ops;
    bm_file_release(file);
    if (!terminal)
        errno = ENOTTY;
    return terminal;
}

int close(int descriptor)
{
    return (int)bm_posix_result(bm_file_close(descriptor));
}

int dup(int descriptor)
{
    return fcntl(descriptor, F_DUPFD, 0);
}

int dup2(int from, int to)
{
    return (int)bm_posix_result(bm_file_duplicate(from, to));
}

static int set_flags(struct bm_file *file, int flags)
{
    flags = (file->flags & ~SETTABLE) | (flags & SETTABLE);
    int result = file->ops->set_flags ? file->ops->set_flags(file, flags) : 0;
    if (result == 0)
        file->flags = flags;
    return result;
}

int fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int argument = va_arg(arguments, int); // unused by commands without one
    va_end(arguments);
    struct bm_file *file = find(descriptor, -1);
    if (!file)
        return -1;
    int result = -EINVAL;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        result = bm_file_install(file, argument);
        break;
    case F_GETFD: // there is no exec, so nothing is ever closed on it
    case F_SETFD:
        result = 0;
        break;
    case F_GETFL:
        result = file->flags;
        break;
    case F_SETFL:
        result = set_flags(file, argument);
        break;
    default:
        break;
    }
    return (int)finish(file, result);
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    struct bm_file *file = find(descriptor, -1);
    if (!file)
        return -1;
    if (request == FIONBIO)
        return (int)finish(
            file, set_flags(file, *(int *)argument ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK));
    return (int)finish(file, file->ops->control ? file->ops->control(file, request, argument) : -ENOTTY);
}

int fsync(int descriptor)
{
    struct bm_file *file = find(descriptor, -1);
    if (!file)
        return -1;
    return (int)finish(file, 0);
}

int ftruncate(int descriptor, off_t length)
{
    (void)length;
    struct bm_file *file = find(descriptor, O_WRONLY);
    if (!file)
        return -1;
    return (int)finish(file, -EINVAL);
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
