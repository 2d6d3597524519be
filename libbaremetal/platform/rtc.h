// The clock chip.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The date, in seconds since 1970-01-01 00:00. False when there is no chip, or none of use. Callers keep each
// other out.
bool bm_rtc_read(uint64_t *seconds);

// Ticks of the time-stamp counter in one second, by the RTC's seconds. Takes up to two seconds; 0 when there
// is no RTC.
uint64_t bm_rtc_measure_tsc(void);

// The RTC's registers as read (MC146818A data sheet), and what they say.
struct bm_rtc_registers {
    uint8_t second, minute, hour, day, month, year;
    uint8_t century;  // 0: the machine has no such register
    uint8_t status_b; // format bits
};
// Seconds since 1970-01-01 00:00. False when the registers hold no date of the years 1970 to 2199.
bool bm_rtc_decode(const struct bm_rtc_registers *registers, uint64_t *seconds);
