// Exact conversion between binary floating-point numbers and decimal digits.
// SPDX-License-Identifier: MIT
//
// For picolibc's printf, strtod and scanf (patches in toolchain/picolibc call it), and for newlib's strtod.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A number's parts: mantissa * 2^exponent.
struct bm_decimal_parts {
    uint64_t mantissa;
    int exponent;
};

// The parts of a finite number, without its sign.
struct bm_decimal_parts bm_decimal_split(long double value);

// At most how many characters bm_decimal_digits writes.
unsigned bm_decimal_room(struct bm_decimal_parts number, int count, bool fixed);

// Writes the digits of a number, rounded to nearest, ties to even: `count` of them, or with `fixed` all up to
// the `count`th behind the decimal point. Where the number ends, so do they. Returns how many; *exponent is
// the power of ten of the first one. A number that rounds to zero has none; zero itself has one.
int bm_decimal_digits(struct bm_decimal_parts number, int count, bool fixed, char *digits, int *exponent);

enum { BM_DECIMAL_WORDS = 82 }; // 780 digits: more than any double's halfway case has

// A whole number that is read digit by digit, lowest word first.
struct bm_decimal_number {
    int used;    // words
    int dropped; // digits that found no room
    bool inexact;
    uint32_t word[BM_DECIMAL_WORDS];
};

// Appends a digit.
void bm_decimal_append(struct bm_decimal_number *number, unsigned base, unsigned digit);

// number * 10^ten * 2^two, rounded to nearest, ties to even, to so many bits of mantissa, of which the last
// is worth at least 2^least. Infinity when it exceeds even a long double.
long double bm_decimal_value(const struct bm_decimal_number *number, int ten, int two, int bits, int min);
