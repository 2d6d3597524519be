// isatty: apart from what every program links.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "terminal.h"

#include <errno.h>
#include <unistd.h>

BM_TERMINAL_STREAM_NEEDED;

int isatty(int descriptor)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return 0;
    bool terminal = file->ops == &bm_terminal_ops;
    bm_file_release(file);
    if (!terminal)
        errno = ENOTTY;
    return terminal;
}
