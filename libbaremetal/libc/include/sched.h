// Completes the C library's <sched.h>.
// SPDX-License-Identifier: MIT
#pragma once

#include_next <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

// Serves the devices.
int sched_yield(void);

#ifdef __cplusplus
}
#endif
