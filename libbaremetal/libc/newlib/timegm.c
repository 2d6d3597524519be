// timegm, which newlib lacks.
// SPDX-License-Identifier: MIT
#include <time.h>

// Days from 1970-01-01 to the first day of a month (0 to 11) of a year of the Gregorian calendar.
static long long days_before(long long year, int month)
{
    static const short before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const long long leap = month > 1 ? year : year - 1; // the last year whose 29th of February is behind us
    const long long shifted = leap + 400000000000;      // no division of negative numbers
    return 365 * (year - 1970) + before[month] + shifted / 4 - shifted / 100 + shifted / 400 -
           (400000001969 / 4 - 400000001969 / 100 + 400000001969 / 400);
}

time_t timegm(struct tm *day)
{
    const int months = day->tm_mon % 12;
    const long long year = 1900LL + day->tm_year + day->tm_mon / 12 - (months < 0);
    const long long days = days_before(year, months < 0 ? months + 12 : months) + day->tm_mday - 1;
    const time_t result = ((days * 24 + day->tm_hour) * 60 + day->tm_min) * 60 + day->tm_sec;
    gmtime_r(&result, day);
    return result;
}
