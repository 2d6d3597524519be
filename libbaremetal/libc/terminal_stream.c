// Standard input, output and error output when they are no terminal: terminal=off on the kernel command line,
// which baremetal-run writes where its own are none.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Before main the one file that they share gets other operations. Linked only into programs that ask what
// their descriptors are, or read.
#include "terminal.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

BM_OPTION(terminal, "on (default), off: standard input and output carry bytes as they are");

const char bm_terminal_stream_linked = 1;

static int stream_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = BM_FILE_PIPE | 0600;
    status->links = 1;
    status->block_size = 4096;
    return 0;
}

static long stream_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)file;
    bm_console_write(buffer, size);
    bm_console_forget_line();
    return (long)size;
}

// What has no room in the image of a program that never reads is weak.
static const struct bm_file_ops stream_ops = {.read = bm_stream_read,
                                              .write = stream_write,
                                              .stat = stream_stat,
                                              .control = bm_stream_control,
                                              .poll = bm_stream_poll};

// Before all constructors of the program.
__attribute__((constructor(101))) static void choose(void)
{
    char value[4] = "on";
    int length = bm_option_get("terminal", value, sizeof value);
    if (length < 0 || __builtin_memcmp(value, "on", 3) == 0)
        return;
    if (length != 3 || __builtin_memcmp(value, "off", 4) != 0) {
        bm_log_error("terminal", "terminal=%s is neither on nor off; using on", value);
        return;
    }
    bm_terminal_file.ops = &stream_ops;
}
