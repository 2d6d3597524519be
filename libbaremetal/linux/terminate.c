// What the power button asks of the program: SIGTERM, of the process; nobody handles it: the program's end.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

void bm_program_terminate(void);

// The button's thread takes no signal itself: the handler is to interrupt what the program waits in.
void bm_program_terminate(void)
{
    const struct bm_linux_signal what = {.signal = LINUX_SIGTERM, .code = LINUX_SI_KERNEL};
    bm_linux_signal_mask(bm_linux_signals_self(), UINT64_MAX);
    bm_linux_signal_raise(NULL, &what);
}
