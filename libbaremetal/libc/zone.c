// Time zones: POSIX's rules, TZif files, and what they say of a moment.
// SPDX-License-Identifier: MIT
//
// RFC 8536 has the format of files; POSIX, Base Definitions 8.3, that of rules (the RFC lets their hours go
// to 167).
#include "zone.h"
#include "calendar.h"

#include <string.h>

enum { HOUR = 3600, DAY = 86400 };

// A text that is read from left to right.
struct reader {
    const char *at, *end;
};

static int peek(const struct reader *reader)
{
    return reader->at < reader->end ? (unsigned char)*reader->at : 0;
}

static bool take(struct reader *reader, char c)
{
    if (peek(reader) != c)
        return false;
    reader->at++;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// A whole number from min to max.
static bool read_number(struct reader *reader, int min, int max, int *value)
{
    if (!is_digit(peek(reader)))
        return false;
    *value = 0;
    while (is_digit(peek(reader)) && *value <= max)
        *value = 10 * *value + *reader->at++ - '0';
    return *value >= min && *value <= max;
}

// [+-]hh[:mm[:ss]]
static bool read_time(struct reader *reader, long *seconds)
{
    const bool negative = peek(reader) == '-';
    if (!take(reader, '-'))
        take(reader, '+');
    int hours, minutes = 0, rest = 0;
    if (!read_number(reader, 0, 167, &hours))
        return false;
    if (take(reader, ':') &&
        (!read_number(reader, 0, 59, &minutes) || (take(reader, ':') && !read_number(reader, 0, 59, &rest))))
        return false;
    *seconds = HOUR * (long)hours + 60 * minutes + rest;
    if (negative)
        *seconds = -*seconds;
    return true;
}

// Three letters or more, or <…> with digits and signs, too.
static bool read_name(struct reader *reader, char name[BM_ZONE_NAME_MAX])
{
    const bool quoted = take(reader, '<');
    size_t length = 0;
    for (int c = peek(reader); is_letter(c) || (quoted && (is_digit(c) || c == '+' || c == '-'));
         c = peek(reader)) {
        if (length == BM_ZONE_NAME_MAX - 1)
            return false;
        name[length++] = *reader->at++;
    }
    name[length] = 0;
    return length >= 3 && (!quoted || take(reader, '>'));
}

static bool read_rule(struct reader *reader, struct bm_zone_rule *rule)
{
    *rule = (struct bm_zone_rule){.kind = 'D', .time = 2 * HOUR};
    if (take(reader, 'M')) {
        rule->kind = 'M';
        if (!read_number(reader, 1, 12, &rule->month) || !take(reader, '.') ||
            !read_number(reader, 1, 5, &rule->week) || !take(reader, '.') ||
            !read_number(reader, 0, 6, &rule->day))
            return false;
    } else {
        if (take(reader, 'J'))
            rule->kind = 'J';
        if (!read_number(reader, rule->kind == 'J', 365, &rule->day))
            return false;
    }
    return !take(reader, '/') || read_time(reader, &rule->time);
}

bool bm_zone_parse(struct bm_zone *zone, const char *text, size_t length)
{
    struct reader reader = {text, text + length};
    long west;
    if (!read_name(&reader, zone->normal_name) || !read_time(&reader, &west))
        return false;
    zone->normal = (struct bm_zone_type){-west, false, zone->normal_name};
    zone->summer = (struct bm_zone_type){0};
    zone->has_rules = true;
    if (reader.at == reader.end)
        return true;
    if (!read_name(&reader, zone->summer_name))
        return false;
    west -= HOUR;
    if (peek(&reader) && peek(&reader) != ',' && !read_time(&reader, &west))
        return false;
    zone->summer = (struct bm_zone_type){-west, true, zone->summer_name};
    if (reader.at == reader.end) { // as in the United States
        zone->begin = (struct bm_zone_rule){'M', 3, 2, 0, 2 * HOUR};
        zone->end = (struct bm_zone_rule){'M', 11, 1, 0, 2 * HOUR};
        return true;
    }
    return take(&reader, ',') && read_rule(&reader, &zone->begin) && take(&reader, ',') &&
           read_rule(&reader, &zone->end) && reader.at == reader.end;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static long long transition(const struct bm_zone *zone, size_t index)
{
    const uint8_t *bytes = zone->transitions + 8 * index;
    return (long long)((uint64_t)big_endian(bytes) << 32 | big_endian(bytes + 4));
}

static struct bm_zone_type file_type(const struct bm_zone *zone, size_t index)
{
    const uint8_t *bytes = zone->types + 6 * index;
    return (struct bm_zone_type){(int32_t)big_endian(bytes), bytes[4] != 0, zone->names + bytes[5]};
}

enum { HEADER = 44 };

// Sizes of a data block, from its header. Counts above the file's size are refused, so that nothing
// overflows.
struct block {
    size_t size, transitions, types, characters;
};

static bool read_header(const uint8_t *at, size_t size, unsigned time_size, struct block *block)
{
    if (size < HEADER || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    uint32_t counts[6]; // UTC and standard indicators, leap seconds, transitions, types, characters
    for (int i = 0; i < 6; i++) {
        counts[i] = big_endian(at + 20 + 4 * i);
        if (counts[i] > size)
            return false;
    }
    *block = (struct block){.transitions = counts[3], .types = counts[4], .characters = counts[5]};
    block->size = counts[0] + counts[1] + (time_size + 4) * (size_t)counts[2] +
                  (time_size + 1) * (size_t)counts[3] + 6 * (size_t)counts[4] + counts[5];
    return block->size <= size - HEADER;
}

// Every index that the file has points at something.
static bool is_sound(const struct bm_zone *zone, size_t characters)
{
    if (zone->type_count == 0 || characters == 0 || zone->names[characters - 1])
        return false;
    for (size_t i = 0; i < zone->transition_count; i++)
        if (zone->indices[i] >= zone->type_count || (i && transition(zone, i) <= transition(zone, i - 1)))
            return false;
    for (size_t i = 0; i < zone->type_count; i++)
        if (zone->types[6 * i + 5] >= characters)
            return false;
    return true;
}

bool bm_zone_load(struct bm_zone *zone, const void *file, size_t size)
{
    const uint8_t *at = file;
    struct block block;
    if (!read_header(at, size, 4, &block))
        return false;
    at += HEADER + block.size;
    size -= HEADER + block.size;
    if (!read_header(at, size, 8, &block))
        return false;
    zone->transitions = at + HEADER;
    zone->transition_count = block.transitions;
    zone->indices = zone->transitions + 8 * block.transitions;
    zone->types = zone->indices + block.transitions;
    zone->type_count = block.types;
    zone->names = (const char *)(zone->types + 6 * block.types);
    if (!is_sound(zone, block.characters))
        return false;
    const char *footer = (const char *)at + HEADER + block.size;
    const size_t left = size - HEADER - block.size;
    const char *end = left > 1 && *footer == '\n' ? memchr(footer + 1, '\n', left - 1) : NULL;
    zone->has_rules = false;
    return !end || end == footer + 1 || bm_zone_parse(zone, footer + 1, (size_t)(end - footer - 1));
}

// Local seconds since 1970 at which a rule holds in a year.
static long long rule_moment(const struct bm_zone_rule *rule, long long year)
{
    const long long january = bm_calendar_days(year, 0);
    const bool leap = bm_calendar_days(year, 2) - january == 60;
    long long day = january + rule->day;
    if (rule->kind == 'J')
        day += (leap && rule->day >= 60) - 1;
    if (rule->kind == 'M') {
        const long long first = bm_calendar_days(year, rule->month - 1);
        const long long next = bm_calendar_days(year, rule->month);
        const int weekday = (int)(((first + 4) % 7 + 7) % 7); // 1970-01-01 was a Thursday
        day = first + (rule->day - weekday + 7) % 7 + 7 * (rule->week - 1);
        while (day >= next)
            day -= 7;
    }
    return day * DAY + rule->time;
}

static struct bm_zone_type rules_at(const struct bm_zone *zone, long long moment)
{
    if (!zone->summer.name)
        return zone->normal;
    const long long local = moment + zone->normal.offset;
    long long year = 1970 + local / 31556952; // the mean length of a year
    while (bm_calendar_days(year, 0) * DAY > local)
        year--;
    while (bm_calendar_days(year + 1, 0) * DAY <= local)
        year++;
    const long long begin = rule_moment(&zone->begin, year) - zone->normal.offset;
    const long long end = rule_moment(&zone->end, year) - zone->summer.offset;
    const bool summer = begin < end ? moment >= begin && moment < end : moment >= begin || moment < end;
    return summer ? zone->summer : zone->normal;
}

struct bm_zone_type bm_zone_at(const struct bm_zone *zone, long long moment)
{
    size_t low = 0, high = zone->transition_count; // low: how many transitions are past
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (transition(zone, middle) <= moment)
            low = middle + 1;
        else
            high = middle;
    }
    if (zone->has_rules && low == zone->transition_count)
        return rules_at(zone, moment);
    return file_type(zone, low ? zone->indices[low - 1] : 0);
}
