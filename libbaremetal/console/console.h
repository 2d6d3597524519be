// What the files of this folder share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/console.h>

// serial.c: the 16550 at COM1. Returns its console, set up on the first call; without such a chip it swallows
// what is written.
struct bm_console *bm_serial_console(void);
bool bm_serial_present(void);

// serial.c: received bytes come by interrupt, or by polling when the interrupt cannot be routed.
void bm_serial_listen(void);

// log.c: reads log= from the command line.
void bm_log_start(void);
