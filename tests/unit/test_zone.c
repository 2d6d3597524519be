// Time zones: rules that are none, files that lie.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/libc/zone.c libbaremetal/libc/calendar.c
// @includes libbaremetal/libc
#include "zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *text)
{
    struct bm_zone zone = {0};
    char *copy = malloc(strlen(text) + 1); // without the NUL, so that the sanitizer sees a byte too far
    memcpy(copy, text, strlen(text));
    const bool result = bm_zone_parse(&zone, copy, strlen(text));
    free(copy);
    return result;
}

static void rules(void **state)
{
    (void)state;
    static const char *const good[] = {
        "UTC0",    "CET-1CEST,M3.5.0,M10.5.0/3",    "<+0330>-3:30",
        "EST5EDT", "AAA3BBB2:30:15,J60/1,J365/-24", "AAA+24BBB,0,365/167:59:59"};
    static const char *const bad[] = {"",
                                      "AB3",
                                      "CET",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M0.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,J0,J1",
                                      "CET-1CEST,J1,366",
                                      "CET-1:60",
                                      "CET168",
                                      "<AB",
                                      "<ABC5",
                                      "ABCDEFGHIJKL5",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x",
                                      "Europe/Berlin",
                                      "UTC99999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(parse(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse(bad[i]));
}

// Version 1's empty block, and one of version 2: one transition at 100 s, two types, "AAA" and "BBB", a rule.
enum { SECOND = 44, DATA = 88, SIZE = DATA + 8 + 1 + 12 + 8 + 7 };

static void make_file(uint8_t file[SIZE])
{
    memset(file, 0, SIZE);
    memcpy(file, "TZif2", 5);
    memcpy(file + SECOND, "TZif2", 5);
    file[SECOND + 35] = 1; // transitions
    file[SECOND + 39] = 2; // types
    file[SECOND + 43] = 8; // characters
    file[DATA + 7] = 100;
    file[DATA + 8] = 1;                              // from there on the second type
    file[DATA + 9 + 3] = 60;                         // the first: 60 s east
    memcpy(file + DATA + 15, "\0\0\x0e\x10\1\4", 6); // the second: an hour east, summer
    memcpy(file + DATA + 21, "AAA\0BBB", 8);
    memcpy(file + DATA + 29, "\nCCC-2\n", 7);
}

static bool load(const uint8_t *file, size_t size, struct bm_zone *zone)
{
    memset(zone, 0, sizeof *zone);
    return bm_zone_load(zone, file, size);
}

static void file_is_read(void **state)
{
    (void)state;
    uint8_t file[SIZE];
    struct bm_zone zone;
    make_file(file);
    assert_true(load(file, SIZE, &zone));
    assert_int_equal(bm_zone_at(&zone, 99).offset, 60);
    assert_string_equal(bm_zone_at(&zone, 99).name, "AAA");
    assert_int_equal(bm_zone_at(&zone, 100).offset, 7200); // the rule holds from the last transition on
    assert_string_equal(bm_zone_at(&zone, 100).name, "CCC");
    file[DATA + 30] = '\n'; // no rule
    assert_true(load(file, SIZE, &zone));
    assert_int_equal(bm_zone_at(&zone, 100).offset, 3600);
    assert_true(bm_zone_at(&zone, 100).summer);
}

// Every length and every wrong byte is refused or read without going astray.
static void file_lies(void **state)
{
    (void)state;
    uint8_t file[SIZE];
    struct bm_zone zone;
    make_file(file);
    for (size_t size = 0; size < SIZE - 7; size++) {
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, file, size);
        assert_false(load(copy, size, &zone));
        free(copy);
    }
    uint8_t *copy = malloc(SIZE);
    for (size_t at = 0; at < SIZE; at++) {
        for (int value = 0; value < 256; value++) {
            memcpy(copy, file, SIZE);
            copy[at] = (uint8_t)value;
            if (load(copy, SIZE, &zone)) {
                assert_true(strlen(bm_zone_at(&zone, 0).name) < 8);
                assert_true(strlen(bm_zone_at(&zone, INT64_MAX / 2).name) < BM_ZONE_NAME_MAX);
            }
        }
    }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules), cmocka_unit_test(file_is_read),
                                       cmocka_unit_test(file_lies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
