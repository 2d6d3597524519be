// Reading: from files, and what the terminal received.
// SPDX-License-Identifier: MIT
#include "../libc/terminal.h"
#include "linux.h"
#include "signals.h"

BM_TERMINAL_INPUT_NEEDED;

static long read_once(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, !file->ops->read   ? -BM_EINVAL
                                 : size > INT64_MAX ? -BM_EFAULT
                                                    : file->ops->read(file, buffer, bm_linux_part(size)));
}

long bm_linux_read(int descriptor, void *buffer, size_t size)
{
    long result;
    do
        result = read_once(descriptor, buffer, size);
    while (bm_linux_again(&result));
    return result;
}

static long readv_once(int descriptor, const struct bm_file_piece *pieces, int count)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    return file ? bm_linux_finish(file, bm_file_readv(file, pieces, count)) : -BM_EBADF;
}

long bm_linux_readv(int descriptor, const struct bm_file_piece *pieces, int count)
{
    long result;
    do
        result = readv_once(descriptor, pieces, count);
    while (bm_linux_again(&result));
    return result;
}
