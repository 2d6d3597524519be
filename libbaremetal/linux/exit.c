// The program's end.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../base/start.h"
#include "linux.h"

#include <baremetal/console.h>
#include <baremetal/file_system.h>
#include <baremetal/log.h>
#include <baremetal/panic.h>

void __stack_chk_fail(void) __attribute__((noreturn));

long bm_linux_exit_group(int status)
{
    if (bm_net_finish)
        bm_net_finish();
    if (bm_disk_sync_all)
        bm_disk_sync_all(true);
    char line[24];
    int size = bm_format(line, sizeof line, "exit: %d\n", status & 0xff);
    bm_console_write_line(line, (size_t)size);
    bm_power_off(status & 0xff);
}

void __stack_chk_fail(void)
{
    bm_panic("stack smashing detected: a function overwrote more than its own variables");
}
