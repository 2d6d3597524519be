// Writing of several pieces.
// SPDX-License-Identifier: MIT
#include "linux.h"

long bm_linux_writev(int descriptor, const struct bm_file_piece *pieces, int count)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_WRONLY);
    return file ? bm_linux_finish(file, bm_file_writev(file, pieces, count)) : -BM_EBADF;
}
