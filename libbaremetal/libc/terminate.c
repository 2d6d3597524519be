// What the power button asks of the program: SIGTERM, to its handler if it has one; else its end.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <signal.h>

void bm_program_terminate(void);

void bm_program_terminate(void)
{
    raise(SIGTERM);
}
