// The terminal, standard input, output and error output: writing, and what the three share.
// SPDX-License-Identifier: MIT
#include "terminal.h"

#include <baremetal/console.h>
#include <fcntl.h>

static long terminal_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)file;
    bm_console_write(buffer, size);
    return (long)size;
}

static int terminal_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = BM_FILE_CHARACTER | 0620;
    status->links = 1;
    status->block_size = 1024;
    return 0;
}

// The weak ones are there when a file that the program uses needs input, or /dev is linked.
const struct bm_file_ops bm_terminal_ops = {.read = bm_terminal_read,
                                            .write = terminal_write,
                                            .stat = terminal_stat,
                                            .control = bm_terminal_control,
                                            .poll = bm_terminal_poll,
                                            .watchers = bm_terminal_watchers,
                                            .close = bm_terminal_close};

struct bm_file bm_terminal_file = {.ops = &bm_terminal_ops, .flags = O_RDWR, .references = 3};
