// What this room calls in the rooms above it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

// device/lock.c: whether this core holds the network's lock, for assertions.
bool bm_net_locked_here(void);
