// Completes the C library's <time.h>, which uses pid_t without defining it, and lacks parts of POSIX.
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include_next <time.h>

extern long timezone; // seconds west of UTC
extern int daylight;

// newlib lacks these.
#ifndef TIME_UTC
#define TIME_UTC 1
int timespec_get(struct timespec *time, int base);
time_t timegm(struct tm *day);
#endif
