// Clock arithmetic, and dates as real-time clocks tell them.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/platform/rtc.c libbaremetal/time/wall.c
#define _DEFAULT_SOURCE
#include "../../libbaremetal/platform/rtc.h"
#include "../../libbaremetal/time/time.h"

#include <baremetal/acpi.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

// What rtc.c and wall.c ask of the kernel; the tests below never get that far.
const struct bm_acpi_header *bm_acpi_find(const char signature[4], unsigned index)
{
    (void)signature;
    (void)index;
    return NULL;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level;
    (void)subject;
    (void)format;
}

uint64_t bm_time_monotonic(void)
{
    return 0;
}

static void ratios(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1000000,    3579545,    14318180,   100000000,
                                     1000000000, 2893202000, 99999999999};
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        uint64_t ratio = bm_ratio_make(1000000000, rates[i]);
        assert_true(ratio == (uint64_t)(((unsigned __int128)1000000000 << BM_RATIO_BITS) / rates[i]));
        // A year of ticks becomes a year within 32 ms (2^-40 a tick of 1 ns at most, here 10 ns).
        uint64_t year = 31536000 * rates[i] / (rates[i] > 1000000000 ? 100 : 1);
        uint64_t expected = 31536000000000000 / (rates[i] > 1000000000 ? 100 : 1);
        uint64_t got = bm_ratio_apply(year, ratio);
        assert_true(got <= expected);
        assert_true(expected - got <= year / (1ull << 40) + 1);
    }
    assert_true(bm_ratio_make(1, 1) == 1ull << BM_RATIO_BITS);
    assert_true(bm_ratio_make(5, 0) == UINT64_MAX);          // no division by zero
    assert_true(bm_ratio_make(1ull << 60, 2) == UINT64_MAX); // too large
    assert_true(bm_ratio_apply(UINT64_MAX, 1ull << BM_RATIO_BITS) == UINT64_MAX);
}

static uint8_t to_bcd(int value)
{
    return (uint8_t)(value / 10 << 4 | value % 10);
}

// The registers as a clock of that format would hold them.
static struct bm_rtc_registers encode(const struct tm *date, bool binary, bool hours_24, bool century)
{
    int hour = date->tm_hour, year = date->tm_year + 1900, pm = 0;
    if (!hours_24) {
        pm = hour >= 12 ? 0x80 : 0;
        hour = hour % 12 == 0 ? 12 : hour % 12;
    }
#define FIELD(value) (binary ? (uint8_t)(value) : to_bcd(value))
    return (struct bm_rtc_registers){
        .second = FIELD(date->tm_sec),
        .minute = FIELD(date->tm_min),
        .hour = (uint8_t)(FIELD(hour) | pm),
        .day = FIELD(date->tm_mday),
        .month = FIELD(date->tm_mon + 1),
        .year = FIELD(year % 100),
        .century = century ? FIELD(year / 100) : (uint8_t)0,
        .status_b = (uint8_t)((binary ? 4 : 0) | (hours_24 ? 2 : 0)),
    };
}

// Every 13 hours and 7 seconds from 1970 to 2199, in all eight formats, against the host's calendar.
static void dates(void **state)
{
    (void)state;
    int format = 0;
    for (time_t time = 0; time < 7258118400; time += 46807, format = (format + 1) % 8) {
        struct tm date;
        gmtime_r(&time, &date);
        bool century =
            format & 4 || date.tm_year < 70 || date.tm_year >= 170; // without, years mean 1970 to 2069
        struct bm_rtc_registers registers = encode(&date, format & 1, format & 2, century);
        uint64_t seconds = 0;
        assert_true(bm_rtc_decode(&registers, &seconds));
        assert_int_equal(seconds, time);
    }
}

static void nonsense(void **state)
{
    (void)state;
    const struct bm_rtc_registers good = {.second = 59,
                                          .minute = 59,
                                          .hour = 23,
                                          .day = 29,
                                          .month = 2,
                                          .year = 24,
                                          .century = 20,
                                          .status_b = 6};
    uint64_t seconds;
    assert_true(bm_rtc_decode(&good, &seconds));
#define BAD(field, value)                                                                                    \
    do {                                                                                                     \
        struct bm_rtc_registers bad = good;                                                                  \
        bad.field = (value);                                                                                 \
        assert_false(bm_rtc_decode(&bad, &seconds));                                                         \
    } while (0)
    BAD(second, 60);
    BAD(minute, 60);
    BAD(hour, 24);
    BAD(day, 0);
    BAD(day, 30);
    BAD(year, 23); // no 29 February
    BAD(month, 0);
    BAD(month, 13);
    BAD(year, 100);
    BAD(status_b, 4); // 12 hours: there is no hour 23
    struct bm_rtc_registers no_leap_year = good;
    no_leap_year.year = 0;
    assert_true(bm_rtc_decode(&no_leap_year, &seconds)); // 2000 is one
    no_leap_year.century = 21;
    assert_false(bm_rtc_decode(&no_leap_year, &seconds)); // 2100 is none
    struct bm_rtc_registers absent = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_false(bm_rtc_decode(&absent, &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios),
        cmocka_unit_test(dates),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
