// Days and seconds of the Gregorian calendar; timegm.
// SPDX-License-Identifier: MIT
#include "calendar.h"

#include <errno.h>

long long bm_calendar_days(long long year, long long month)
{
    static const short before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    enum { SHIFT = 400000 }; // of thousands of years, so that nothing negative is divided; a multiple of 400
    const long long years = month / 12 - (month % 12 < 0);
    year += years;
    month -= 12 * years;
    const long long last =
        year - (month < 2) + 1000LL * SHIFT; // the last year whose 29th of February is past
    const long long epoch = 1969 + 1000LL * SHIFT;
    return 365 * (year - 1970) + before[month] + (last / 4 - last / 100 + last / 400) -
           (epoch / 4 - epoch / 100 + epoch / 400);
}

long long bm_calendar_seconds(const struct tm *time)
{
    const long long days = bm_calendar_days(1900LL + time->tm_year, time->tm_mon) + time->tm_mday - 1;
    return ((days * 24 + time->tm_hour) * 60 + time->tm_min) * 60 + time->tm_sec;
}

time_t timegm(struct tm *day)
{
    const time_t result = (time_t)bm_calendar_seconds(day);
    return gmtime_r(&result, day) ? result : -1;
}
