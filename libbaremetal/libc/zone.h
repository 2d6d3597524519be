// What a time zone says of a moment.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BM_ZONE_NAME_MAX = 12 };

// A day of the year and a time of that day, at which the clocks change.
struct bm_zone_rule {
    char kind; // 'M': month, week and day of the week; 'J': day without 29 February, from 1; 'D': day from 0
    int month, week, day;
    long time; // seconds, may be negative or beyond a day
};

// One kind of local time.
struct bm_zone_type {
    long offset; // seconds east of UTC
    bool summer;
    const char *name;
};

struct bm_zone {
    // From a TZif file; 0 transitions without one.
    const uint8_t *transitions; // 8 bytes each
    const uint8_t *indices;     // of the type from each on
    const uint8_t *types;       // 6 bytes each
    const char *names;
    size_t transition_count, type_count;
    // Behind the last of them, or always.
    bool has_rules;
    struct bm_zone_type normal, summer; // summer.name is NULL when there is none
    struct bm_zone_rule begin, end;     // of summer time
    char normal_name[BM_ZONE_NAME_MAX], summer_name[BM_ZONE_NAME_MAX];
};

// Reads POSIX's form, "CET-1CEST,M3.5.0,M10.5.0/3"; false when it is none. `length`: of the text.
bool bm_zone_parse(struct bm_zone *zone, const char *text, size_t length);

// Reads a TZif file of version 2 or later (RFC 8536), which stays in memory; false when it is none.
bool bm_zone_load(struct bm_zone *zone, const void *file, size_t size);

// What holds at so many seconds since 1970.
struct bm_zone_type bm_zone_at(const struct bm_zone *zone, long long moment);
