// Writing of several pieces.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "reach.h"
#include "signals.h"

static long write_once(int descriptor, const struct bm_file_piece *pieces, int count)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_WRONLY);
    if (!file)
        return -BM_EBADF;
    struct bm_linux_pieces what = {.pieces = pieces, .count = count};
    if (bm_linux_reach_pieces && bm_linux_reach_pieces(file, &what, false))
        return bm_linux_finish(file, -BM_EFAULT);
    return bm_linux_finish(file, bm_file_writev(file, what.pieces, what.count));
}

long bm_linux_writev(int descriptor, const struct bm_file_piece *pieces, int count)
{
    long result;
    do
        result = write_once(descriptor, pieces, count);
    while (bm_linux_again(&result));
    return bm_linux_pipe_result(bm_linux_size_result(result));
}
