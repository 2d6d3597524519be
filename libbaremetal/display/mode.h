// The graphics mode that the command line asks for.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Sets the pixels of a line and the lines to what the word video= says, if there is one and it is a mode: the
// width a multiple of 8, both 64 to BM_FRAMEBUFFER_SIDE_MAX. For drivers, at boot.
void bm_display_mode_wanted(uint32_t *width, uint32_t *height);
