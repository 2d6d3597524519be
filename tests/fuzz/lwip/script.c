// The input, read as a script.
// SPDX-License-Identifier: MIT
#include "script.h"

static const uint8_t *at, *end;

void script_start(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
}

bool script_more(void)
{
    return at < end;
}

unsigned script_byte(void)
{
    return at < end ? *at++ : 0;
}

unsigned script_below(unsigned limit)
{
    return script_byte() % limit;
}

uint32_t script_word(void)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++)
        word = word << 8 | script_byte();
    return word;
}

bool script_odd(unsigned of256)
{
    return script_byte() >= 256 - of256;
}

uint32_t script_near(uint32_t expected)
{
    unsigned choice = script_byte();
    if (choice < 208)
        return expected;
    switch (choice % 8) {
    case 0:
        return expected + 1;
    case 1:
        return expected - 1;
    case 2:
        return 0;
    case 3:
        return script_byte();
    case 4:
        return UINT32_MAX;
    case 5:
        return expected + script_byte() * 64;
    case 6:
        return expected ^ 1u << script_below(32);
    default:
        return script_word();
    }
}
