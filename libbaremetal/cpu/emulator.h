// What an emulated CPU runs faster by (emulator.c).
// SPDX-License-Identifier: MIT
#pragma once

// On the first core, when memory is there and the program not yet. Does nothing elsewhere than under QEMU's
// emulator.
void bm_emulator_prepare(void) __attribute__((weak));
