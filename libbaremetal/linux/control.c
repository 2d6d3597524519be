// Duplicates, flags and controls of descriptors.
// SPDX-License-Identifier: MIT
#include "linux.h"

// There is no exec, so nothing is ever closed on it: the descriptor's own flag means nothing.
long bm_linux_fcntl(int descriptor, int command, long argument)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    switch (command) {
    case LINUX_F_DUPFD:
    case LINUX_F_DUPFD_CLOEXEC:
        return bm_linux_finish(file, bm_file_install(file, (int)argument));
    case LINUX_F_GETFD:
    case LINUX_F_SETFD:
        return bm_linux_finish(file, 0);
    case LINUX_F_GETFL:
        return bm_linux_finish(file, file->flags);
    case LINUX_F_SETFL:
        return bm_linux_finish(file, bm_linux_set_flags(file, (int)argument));
    default:
        return bm_linux_finish(file, -BM_EINVAL);
    }
}

long bm_linux_dup(int descriptor)
{
    return bm_linux_fcntl(descriptor, LINUX_F_DUPFD, 0);
}

long bm_linux_dup2(int from, int to)
{
    return bm_file_duplicate(from, to);
}

long bm_linux_dup3(int from, int to, int flags)
{
    if (from == to || flags & ~LINUX_O_CLOEXEC)
        return -BM_EINVAL;
    return bm_file_duplicate(from, to);
}
