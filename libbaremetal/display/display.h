// What the files of this folder, and drivers of text screens, share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/framebuffer.h>

// screen_console.c, in images that link baremetal::screen_console: the console is shown on that screen.
void bm_screen_console_begin(struct bm_framebuffer *framebuffer) __attribute__((weak));
