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
                                                    : file->ops->read(file, buffer, bm_linux_part(size, 0)));
}

long bm_linux_read(int descriptor, void *buffer, size_t size)
{
    long result;
    do
        result = read_once(descriptor, buffer, size);
    while (bm_linux_again(&result));
    return result;
}

// Goes on until a piece is short, or nothing is there without waiting.
static long read_pieces(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    if (file->ops->readv && count)
        return file->ops->readv(file, pieces, count);
    if (!file->ops->read)
        return -BM_EINVAL;
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (!pieces[i].size)
            continue;
        if (total && file->ops->poll && !(file->ops->poll(file) & LINUX_POLLIN))
            break;
        long part = file->ops->read(file, pieces[i].data, bm_linux_part(pieces[i].size, (size_t)total));
        if (part < 0)
            return total ? total : part;
        total += part;
        if ((size_t)part < pieces[i].size)
            break;
    }
    return total;
}

static long readv_once(int descriptor, const struct bm_file_piece *pieces, int count)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    bool valid = bm_linux_pieces_valid(pieces, count);
    return bm_linux_finish(file, valid ? read_pieces(file, pieces, count) : -BM_EINVAL);
}

long bm_linux_readv(int descriptor, const struct bm_file_piece *pieces, int count)
{
    long result;
    do
        result = readv_once(descriptor, pieces, count);
    while (bm_linux_again(&result));
    return result;
}
