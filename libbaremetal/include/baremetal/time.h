// Clocks: nanoseconds since boot, wall-clock time, and the one-shot wake-up timer.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Nanoseconds since the kernel's start; never goes back, on any core. Any context.
uint64_t bm_time_monotonic(void);

// Nanoseconds since 1970-01-01 00:00 UTC: the RTC's reading when somebody first asked plus the monotonic
// clock plus bm_time_set_wall's adjustment. Any context. 0 plus uptime when the machine has no usable RTC (a
// warning says so). A pause of the machine leaves the date behind, with a warning within seconds of its use.
uint64_t bm_time_wall(void);

// Sets the wall clock (settimeofday, SNTP). Any core, not in handlers.
void bm_time_set_wall(uint64_t nanoseconds);

// Name of the clock in use: "kvmclock", "tsc", "hpet" or "pmtimer".
const char *bm_time_source(void);

// Busy-waits at least that long, without serving devices. For the waits that a specification demands of a
// driver, at most some milliseconds. Any context.
void bm_time_delay(uint64_t nanoseconds);

#ifdef __cplusplus
}
#endif
