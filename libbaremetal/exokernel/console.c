// b_input and b_output.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include <baremetal/console.h>
#include <baremetal/wait.h>

enum { RETURN = 0x1c, BACKSPACE = 0x0e };

u8 b_input(void)
{
    char byte;
    bm_exokernel_screen_show();
    bm_poll();
    if (bm_console_read(&byte, 1) != 1)
        return 0;
    if (byte == '\r' || byte == '\n')
        return RETURN;
    return byte == 0x7f || byte == '\b' ? BACKSPACE : (u8)byte;
}

void b_output(const char *str, u64 nbr)
{
    bm_console_write(str, nbr);
}
