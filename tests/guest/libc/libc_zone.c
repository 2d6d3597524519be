// Local time: embedded TZif files and POSIX rules give what the host's C library gives, in both directions.
// SPDX-License-Identifier: MIT
// @script libc_oracle.py
// @file zoneinfo /usr/share/zoneinfo
// @folder zoneinfo
// @expect warning: time: TZ=Europe/Nowhere is no rule such as .* and there is no file
// /usr/share/zoneinfo/Europe/Nowhere
// @expect warning: time: TZ=nonsense is no rule

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const long long moments[] = {0,          1,          951782399,  951782400,  1709164800, 1735689599,
                                    2147483647, 2147483648, 4102444800, 1711846799, 1711846800, 1729990799,
                                    1729990800, 323834400,  1000000000, 1700000000, 1720000000, 1750000000};
static const long long old[] = {-3000000000, -2422054408, -2422054409, -1693706401, -1693706400, -1680483600,
                                -1680483601, -776560000,  -762660000,  -760000000,  -1};

static void show(long long at)
{
    const time_t moment = (time_t)at;
    struct tm day;
    char text[80];
    if (!localtime_r(&moment, &day)) {
        printf("%lld: none\n", at);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z %z %j %a", &day);
    struct tm back = day, any = day;
    any.tm_isdst = -1;
    const time_t again = mktime(&back);
    const time_t near = mktime(&any);
    printf("%lld: %s dst %d mktime %lld %d\n", at, text, day.tm_isdst, (long long)again,
           near == moment || near == moment - 3600 || near == moment + 3600);
}

static void zone(const char *name, int with_history)
{
    setenv("TZ", name, 1);
    tzset();
    if (strchr(name, ',')) // of files, libraries differ in which of the old names they show
        printf("TZ=%s: %s %s %ld %d\n", name, tzname[0], tzname[1], timezone, daylight);
    for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++)
        show(moments[i]);
    for (unsigned i = 0; with_history && i < sizeof old / sizeof *old; i++)
        show(old[i]);
    for (long long at = with_history ? -2500000000 : 100000; at < 5000000000; at += 86400 * 151 + 4567)
        show(at);
}

static void make(int year, int month, int day, int hour, int summer)
{
    struct tm time = {.tm_year = year - 1900,
                      .tm_mon = month - 1,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_min = 30,
                      .tm_isdst = summer};
    const time_t moment = mktime(&time);
    printf("mktime %d-%d-%d %d:30 %d: %lld %d:%d dst %d\n", year, month, day, hour, summer, (long long)moment,
           time.tm_hour, time.tm_min, time.tm_isdst);
}

static void make_times(void)
{
    setenv("TZ", "Test/Town", 1);
    make(2024, 7, 1, 12, -1);
    make(2024, 7, 1, 12, 0);
    make(2024, 7, 1, 12, 1);
    make(2024, 1, 1, 12, 1);
    make(2024, 1, 1, 12, -1);
    make(2024, 10, 27, 2, 0); // twice
    make(2024, 10, 27, 2, 1);
    make(2024, 14, 33, 25, -1);
    make(1945, 6, 1, 12, -1);
    setenv("TZ", "Test/South", 1);
    make(2024, 7, 1, 12, -1);
    make(2024, 1, 1, 12, -1);
    make(2024, 1, 1, 12, 0);
}

static const char *const wrong[] = {"Europe/Nowhere",
                                    "nonsense",
                                    "CET",
                                    "AB3",
                                    "CET-1CEST,M3.5.0",
                                    "CET-1CEST,M13.5.0,M10.5.0",
                                    "CET-1CEST,M3.5.0,M10.5.0/3x"};

int main(void)
{
    puts("BEGIN");
    zone("Test/Town", 1);
    zone(":Test/Town", 1);
    zone("Test/South", 0);
    zone("Test/Half", 1);
    zone("CET-1CEST,M3.5.0,M10.5.0/3", 0);
    zone("EST5EDT,M3.2.0,M11.1.0", 0);
    zone("NZST-12NZDT,M9.5.0,M4.1.0/3", 0);
    zone("<+0330>-3:30", 1);
    zone("AAA3BBB,J60/1,J300", 0);
    zone("AAA3BBB2:30,59/1,299/3:30:10", 0);
    make_times();
    puts("END");
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("TZ", wrong[i], 1);
        const time_t moment = 1000000000;
        struct tm *day = localtime(&moment);
        if (day->tm_hour != 1 || strcmp(tzname[0], "UTC") != 0) {
            printf("FAILED: TZ=%s\n", wrong[i]);
            return 1;
        }
    }
    puts("PASS");
    return 0;
}
