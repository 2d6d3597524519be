// Writing of several pieces.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

bool bm_linux_pieces_valid(const struct bm_file_piece *pieces, int count)
{
    size_t total = 0;
    if (count < 0 || count > LINUX_IOV_MAX)
        return false;
    for (int i = 0; i < count; i++)
        if (__builtin_add_overflow(total, pieces[i].size, &total) || total > INT64_MAX)
            return false;
    return true;
}

static long write_pieces(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    if (file->ops->writev && count)
        return file->ops->writev(file, pieces, count);
    if (!file->ops->write)
        return -BM_EINVAL;
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (!pieces[i].size)
            continue;
        long part = file->ops->write(file, pieces[i].data, bm_linux_part(pieces[i].size, (size_t)total));
        if (part < 0)
            return total ? total : part;
        total += part;
        if ((size_t)part < pieces[i].size)
            break;
    }
    return total;
}

static long write_once(int descriptor, const struct bm_file_piece *pieces, int count)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_WRONLY);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, bm_linux_pieces_valid(pieces, count) ? write_pieces(file, pieces, count)
                                                                      : -BM_EINVAL);
}

long bm_linux_writev(int descriptor, const struct bm_file_piece *pieces, int count)
{
    long result;
    do
        result = write_once(descriptor, pieces, count);
    while (bm_linux_again(&result));
    return bm_linux_pipe_result(result);
}
