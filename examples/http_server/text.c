// Text put together in a buffer, and the date of HTTP.
// SPDX-License-Identifier: MIT
#include "text.h"

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

void text_number_padded(struct text *text, uint64_t number, unsigned digits)
{
    char buffer[20]; // 2^64 - 1 has 20 digits
    size_t at = sizeof(buffer);
    do {
        buffer[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (at > 0 && (number > 0 || sizeof(buffer) - at < digits));
    text_bytes(text, buffer + at, sizeof(buffer) - at);
}

void text_number(struct text *text, uint64_t number)
{
    text_number_padded(text, number, 1);
}

void text_date(char date[TEXT_DATE_LENGTH], uint64_t seconds)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; // 1970-01-01 was a Thursday
    static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
    const uint64_t day = seconds / 86400;
    const uint64_t second = seconds % 86400;

    // Years begin in March here, so that the leap day is the last one. Day 0 of the count is 0000-03-01.
    const uint64_t count = day + 719468;
    const uint64_t era_day = count % 146097; // an era is 400 years
    const uint64_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    const uint64_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    const uint64_t month = (5 * year_day + 2) / 153; // 0 is March
    const uint64_t year = count / 146097 * 400 + era_year + (month >= 10);

    struct text text = text_begin(date, TEXT_DATE_LENGTH);
    text_bytes(&text, days + 3 * (day % 7), 3);
    text_string(&text, ", ");
    text_number_padded(&text, year_day - (153 * month + 2) / 5 + 1, 2);
    text_string(&text, " ");
    text_bytes(&text, months + 3 * month, 3);
    text_string(&text, " ");
    text_number_padded(&text, year % 10000, 4);
    text_string(&text, " ");
    text_number_padded(&text, second / 3600, 2);
    text_string(&text, ":");
    text_number_padded(&text, second / 60 % 60, 2);
    text_string(&text, ":");
    text_number_padded(&text, second % 60, 2);
    text_string(&text, " GMT");
}
