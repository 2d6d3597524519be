// Reading: from files, and what the terminal received.
// SPDX-License-Identifier: MIT
#include "../libc/terminal.h"
#include "linux.h"
#include "reach.h"
#include "signals.h"

BM_TERMINAL_INPUT_NEEDED;

static long read_part(struct bm_file *file, void *buffer, size_t size)
{
    long part = bm_linux_reachable(file, buffer, bm_linux_part(size), true);
    return part < 0 ? part : file->ops->read(file, buffer, (size_t)part);
}

static long read_once(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, !file->ops->read   ? -BM_EINVAL
                                 : size > INT64_MAX ? -BM_EFAULT
                                                    : read_part(file, buffer, size));
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
    if (!file)
        return -BM_EBADF;
    struct bm_linux_pieces what = {.pieces = pieces, .count = count};
    if (bm_linux_reach_pieces && bm_linux_reach_pieces(file, &what, true))
        return bm_linux_finish(file, -BM_EFAULT);
    return bm_linux_finish(file, bm_file_readv(file, what.pieces, what.count));
}

long bm_linux_readv(int descriptor, const struct bm_file_piece *pieces, int count)
{
    long result;
    do
        result = readv_once(descriptor, pieces, count);
    while (bm_linux_again(&result));
    return result;
}
