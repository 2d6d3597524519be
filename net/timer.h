// When the stack's timers want to run. Read without the core lock: a hint that is at most one wake-up late.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

void bm_net_timers_look(void); // a protocol may need its timer now; under the core lock
bool bm_net_timers_due(void);
uint64_t bm_net_timers_deadline(void); // nanoseconds of bm_time_monotonic()
