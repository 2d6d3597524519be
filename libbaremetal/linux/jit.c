// The option JIT of an image: memory may become executable while the program runs.
// SPDX-License-Identifier: MIT
//
// Linked by that option alone, and asked for by its address.
#include "linux.h"

const char bm_linux_jit = 1;
