// Text put together in a buffer, and the date of HTTP.
// SPDX-License-Identifier: MIT
#include "text.h"

#include <baremetal/log.h>
#include <string.h>

void text_bytes(struct text *text, const char *bytes, size_t length)
{
    if (length > text->size - text->length) {
        text->full = true;
        return;
    }
    memcpy(text->start + text->length, bytes, length);
    text->length += length;
}

void text_string(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

void text_number(struct text *text, uint64_t number)
{
    char buffer[20]; // 2^64 - 1 has 20 digits
    size_t at = sizeof(buffer);
    do {
        buffer[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_bytes(text, buffer + at, sizeof(buffer) - at);
}

void text_date(char date[TEXT_DATE_LENGTH], uint64_t seconds)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; // 1970-01-01 was a Thursday
    static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
    const uint32_t day = (uint32_t)(seconds / 86400);
    const uint32_t second = (uint32_t)(seconds % 86400);

    // Years begin in March here, so that the leap day is the last one. Day 0 of the count is 0000-03-01.
    const uint32_t count = day + 719468;
    const uint32_t era_day = count % 146097; // an era is 400 years
    const uint32_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    const uint32_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    const uint32_t month = (5 * year_day + 2) / 153; // 0 is March
    const uint32_t year = count / 146097 * 400 + era_year + (month >= 10);

    char text[TEXT_DATE_LENGTH + 1];
    bm_format(text, sizeof text, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * (day % 7),
              year_day - (153 * month + 2) / 5 + 1, months + 3 * month, year % 10000, second / 3600,
              second / 60 % 60, second % 60);
    memcpy(date, text, TEXT_DATE_LENGTH);
}
