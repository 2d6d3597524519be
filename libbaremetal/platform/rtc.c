// The real-time clock of the PC (Motorola MC146818A and its successors).
// SPDX-License-Identifier: MIT
#include "rtc.h"

#include <baremetal/acpi.h>
#include <baremetal/cpu.h>

#include <stddef.h>

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    STATUS_A = 0x0a,
    STATUS_B = 0x0b,
    STATUS_A_UPDATING = 0x80,
    STATUS_B_24_HOURS = 2,
    STATUS_B_BINARY = 4,
    HOUR_PM = 0x80, // in 12-hour format

    UPDATE_TRIES = 20000,    // an update takes 2 ms at most; a read takes about a microsecond
    SECOND_TRIES = 20000000, // reads within which a second must have passed
    READ_TRIES = 8,          // until two readings are equal
    FADT_CENTURY = 108,      // offset of the century register's number (ACPI 6.4 section 5.2.9)
};

static uint8_t cmos_read(uint8_t index)
{
    bm_port_out8(CMOS_INDEX, index);
    return bm_port_in8(CMOS_DATA);
}

static unsigned from_bcd(unsigned value, bool binary)
{
    return binary ? value : (value >> 4) * 10 + (value & 15);
}

// Days since 1970-01-01 of the proleptic Gregorian calendar. Years are counted from March, so that the leap
// day comes last.
static uint64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
    unsigned shifted = month > 2 ? month - 3 : month + 9; // March is 0
    uint64_t y = month > 2 ? year : year - 1;
    uint64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static unsigned month_length(unsigned year, unsigned month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2)
        return leap ? 29 : 28;
    return 30 + ((month + (month > 7)) & 1);
}

bool bm_rtc_decode(const struct bm_rtc_registers *r, uint64_t *seconds)
{
    bool binary = r->status_b & STATUS_B_BINARY;
    unsigned second = from_bcd(r->second, binary), minute = from_bcd(r->minute, binary);
    unsigned hour = r->hour;
    if (r->status_b & STATUS_B_24_HOURS) {
        hour = from_bcd(hour, binary);
    } else {
        unsigned clock = from_bcd(hour & ~HOUR_PM & 0xff, binary);
        if (clock < 1 || clock > 12)
            return false;
        hour = clock % 12 + (hour & HOUR_PM ? 12 : 0);
    }
    unsigned day = from_bcd(r->day, binary), month = from_bcd(r->month, binary);
    unsigned century = from_bcd(r->century, binary);
    unsigned year = from_bcd(r->year, binary);
    if (year > 99)
        return false;
    if (century >= 19 && century <= 21)
        year += century * 100;
    else
        year += year < 70 ? 2000 : 1900;
    if (year < 1970 || second > 59 || minute > 59 || hour > 23 || month < 1 || month > 12 || day < 1 ||
        day > month_length(year, month))
        return false;
    *seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

static bool wait_while_updating(void)
{
    for (unsigned i = 0; i < UPDATE_TRIES; i++)
        if (!(cmos_read(STATUS_A) & STATUS_A_UPDATING))
            return true;
    return false;
}

static uint8_t century_register(void)
{
    const struct bm_acpi_header *fadt = bm_acpi_find("FACP", 0);
    if (!fadt || fadt->length <= FADT_CENTURY)
        return 0;
    uint8_t index = ((const uint8_t *)fadt)[FADT_CENTURY];
    return index < 0x80 ? index : 0;
}

static struct bm_rtc_registers read_once(uint8_t century)
{
    return (struct bm_rtc_registers){.second = cmos_read(0),
                                     .minute = cmos_read(2),
                                     .hour = cmos_read(4),
                                     .day = cmos_read(7),
                                     .month = cmos_read(8),
                                     .year = cmos_read(9),
                                     .century = century ? cmos_read(century) : 0,
                                     .status_b = cmos_read(STATUS_B)};
}

// A reading is good when the next one equals it: then no update fell between its registers.
bool bm_rtc_read(uint64_t *seconds)
{
    uint8_t century = century_register();
    for (unsigned i = 0; i < READ_TRIES; i++) {
        if (!wait_while_updating())
            return false;
        struct bm_rtc_registers a = read_once(century), b = read_once(century);
        if (__builtin_memcmp(&a, &b, sizeof a) == 0)
            return bm_rtc_decode(&a, seconds);
    }
    return false;
}

// Waits for the seconds register to change.
static bool next_second(void)
{
    uint8_t before = cmos_read(0);
    for (unsigned i = 0; i < SECOND_TRIES; i++)
        if (cmos_read(0) != before)
            return true;
    return false;
}

uint64_t bm_rtc_measure_tsc(void)
{
    if (cmos_read(STATUS_A) == 0xff || !next_second()) // all ones: nothing is there
        return 0;
    uint64_t begin = bm_cpu_tsc();
    return next_second() ? bm_cpu_tsc() - begin : 0;
}
