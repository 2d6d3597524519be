// The liveness oracle: basic blocks that the network takes for one thing.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// fuzz_lwip fails when one frame, call or turn of the timers takes more. The most that was seen in 10^7
// frames stands in README.md; what grows with the input (a list of connections, of segments, a frame's bytes)
// stays far below it.
enum { STEPS_MAX = 2000000 };

void steps_begin(void);     // counts from 0
extern uint64_t steps_most; // of any so far
