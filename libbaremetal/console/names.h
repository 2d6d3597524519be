// Which consoles the command line wants, in images that have more than the serial one.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/console.h>

// Whether a console of that name is to be used: console= names it, or is absent. Core 0, at boot.
bool bm_console_wanted(const char *name);

// Adds a console that is wanted. From the first one on the serial console is silent when console= leaves it
// out. Core 0, at boot.
void bm_console_add_wanted(struct bm_console *console);
