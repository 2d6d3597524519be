// The date from time servers (SNTP, RFC 4330), for programs that link baremetal::sntp.
// SPDX-License-Identifier: MIT
//
// Command line: ntp=SERVER[,SERVER]…, names or addresses, at most four; asked one after the other until one
// answers, and again every 17 minutes. The first answer sets the date (bm_time_wall) at once, later ones
// correct it by at most 1,000 s; both may step back. An answer of a server that is not synchronised itself,
// that nobody asked for, or before 2025 is not believed. NTP has no authentication here: who sits between the
// machine and its server can set the date.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// bm_time_monotonic() of the last answer that was believed, 0 when there was none. Any context.
uint64_t bm_sntp_last(void);

// Waits until a server has set the date, serving devices, for at most `timeout` nanoseconds (UINT64_MAX: for
// ever); returns whether one has. As bm_wait_until: any core, not in handlers, no lock held.
bool bm_sntp_wait(uint64_t timeout);

#ifdef __cplusplus
}
#endif
