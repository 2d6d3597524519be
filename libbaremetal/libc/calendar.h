// Days and seconds of the Gregorian calendar.
// SPDX-License-Identifier: MIT
#pragma once

#include <time.h>

// Days from 1970-01-01 to the first day of a month (any number; 0 is January) of a year.
long long bm_calendar_days(long long year, long long month);

// Seconds from 1970-01-01 00:00:00 to what a broken-down time says, whose fields may have any value.
long long bm_calendar_seconds(const struct tm *time);
