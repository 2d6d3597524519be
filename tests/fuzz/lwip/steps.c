// Counts the basic blocks of the network's code: clang calls us in each (-fsanitize-coverage=trace-pc).
// SPDX-License-Identifier: MIT
#include "steps.h"

#include "machine.h"

uint64_t steps_most;
static uint64_t steps;

void __wrap___sanitizer_cov_trace_pc(void);

__attribute__((no_sanitize("coverage"))) void __wrap___sanitizer_cov_trace_pc(void)
{
    if (++steps > steps_most) {
        steps_most = steps;
        if (steps == STEPS_MAX)
            fail("this takes too many steps: an endless loop, or work that grows too fast");
    }
}

void steps_begin(void)
{
    steps = 0;
}
