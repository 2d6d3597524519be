// Reading, writing and closing descriptors.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "reach.h"
#include "signals.h"

struct bm_file *bm_linux_file(int descriptor, int mode)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    int access = file ? file->flags & LINUX_O_ACCMODE : 0;
    if (!file || mode < 0 || access == mode || access == LINUX_O_RDWR)
        return file;
    bm_file_release(file);
    return NULL;
}

long bm_linux_finish(struct bm_file *file, long result)
{
    bm_file_release(file);
    return result;
}

static long write_part(struct bm_file *file, const void *buffer, size_t size)
{
    long part = bm_linux_reachable(file, buffer, bm_linux_part(size), false);
    return part < 0 ? part : file->ops->write(file, buffer, (size_t)part);
}

static long write_once(int descriptor, const void *buffer, size_t size)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_WRONLY);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, !file->ops->write  ? -BM_EINVAL
                                 : size > INT64_MAX ? -BM_EFAULT
                                                    : write_part(file, buffer, size));
}

long bm_linux_write(int descriptor, const void *buffer, size_t size)
{
    long result;
    do
        result = write_once(descriptor, buffer, size);
    while (bm_linux_again(&result));
    return bm_linux_pipe_result(bm_linux_size_result(result));
}

long bm_linux_lseek(int descriptor, long offset, int whence)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, file->ops->seek ? (long)file->ops->seek(file, offset, whence) : -BM_ESPIPE);
}

long bm_linux_close(int descriptor)
{
    return bm_file_close(descriptor);
}
