// The input, read as a script: each choice takes a byte or a few; behind the end all are 0, the usual choice.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void script_start(const uint8_t *data, size_t size);
bool script_more(void);
unsigned script_byte(void);
unsigned script_below(unsigned limit); // 0 … limit - 1
uint32_t script_word(void);
bool script_odd(unsigned of256);         // seldom true: so many times of 256
uint32_t script_near(uint32_t expected); // mostly that, else beside it, a border, or anything
