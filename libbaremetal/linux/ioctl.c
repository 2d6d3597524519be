// ioctl. The terminal's are those of programs that read, or ask for them by tcgetattr: printf alone asks
// whether there is a terminal.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../libc/terminal.h"
#include "linux.h"

BM_TERMINAL_STREAM_NEEDED;

enum { COLUMNS = 80, ROWS = 25, SETTABLE = LINUX_O_NONBLOCK | LINUX_O_APPEND };

int bm_linux_set_flags(struct bm_file *file, int flags)
{
    flags = (file->flags & ~SETTABLE) | (flags & SETTABLE);
    int result = file->ops->set_flags ? file->ops->set_flags(file, flags) : 0;
    if (result == 0)
        file->flags = flags;
    return result;
}

long bm_linux_ioctl(int descriptor, unsigned long request, void *argument)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    if (file->flags & LINUX_O_PATH)
        return bm_linux_finish(file, -BM_EBADF);
    request = (uint32_t)request; // musl's is an int: its sign means nothing
    if (request == LINUX_TIOCGWINSZ && file->ops == &bm_terminal_ops) {
        __builtin_memcpy(argument, (const uint16_t[4]){ROWS, COLUMNS}, 4 * sizeof(uint16_t));
        return bm_linux_finish(file, 0);
    }
    if (request == LINUX_FIONBIO)
        return bm_linux_finish(file,
                               bm_linux_set_flags(file, *(int *)argument ? file->flags | LINUX_O_NONBLOCK
                                                                         : file->flags & ~LINUX_O_NONBLOCK));
    if (file->ops->socket && request >> 8 == LINUX_SIOC && bm_net_interface_control)
        return bm_linux_finish(file, bm_net_interface_control(request, argument));
    return bm_linux_finish(file,
                           file->ops->control ? file->ops->control(file, request, argument) : -BM_ENOTTY);
}
