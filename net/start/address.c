// Internet addresses from text: dotted quads and RFC 4291 section 2.2.
// SPDX-License-Identifier: MIT
#include "option.h"

#include <string.h>

// A decimal number of at most `max`, without leading zeros; returns the digits read, 0 when there is none.
static size_t parse_number(const char *text, size_t length, unsigned max, unsigned *value)
{
    size_t used = 0;
    unsigned number = 0;
    while (used < length && text[used] >= '0' && text[used] <= '9') {
        number = number * 10 + (unsigned)(text[used++] - '0');
        if (number > max || (used == 2 && text[0] == '0'))
            return 0;
    }
    *value = number;
    return used;
}

bool bm_net_parse_ip4(const char *text, size_t length, uint8_t bytes[4])
{
    uint8_t result[4];
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0;
        if (i > 0) {
            if (length == 0 || *text != '.')
                return false;
            text++, length--;
        }
        size_t used = parse_number(text, length, 255, &value);
        if (used == 0)
            return false;
        text += used, length -= used;
        result[i] = (uint8_t)value;
    }
    if (length != 0)
        return false;
    memcpy(bytes, result, 4);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// One to four hexadecimal digits; returns the digits read, 0 when there is none or there are more.
static size_t parse_group(const char *text, size_t length, unsigned *value)
{
    size_t used = 0;
    *value = 0;
    while (used < length && hex_digit(text[used]) >= 0) {
        if (used == 4)
            return 0;
        *value = *value << 4 | (unsigned)hex_digit(text[used++]);
    }
    return used;
}

struct ip6_parser {
    const char *text;
    size_t length;
    uint8_t bytes[16];
    unsigned used; // bytes
    int gap;       // where "::" stands, -1: nowhere
};

// After a group: a colon and more, or the end. Returns false on anything else.
static bool ip6_separator(struct ip6_parser *p)
{
    if (p->length == 0)
        return true;
    if (p->text[0] != ':')
        return false;
    p->text++, p->length--;
    if (p->length && p->text[0] == ':') {
        if (p->gap >= 0)
            return false;
        p->gap = (int)p->used;
        p->text++, p->length--;
        return true;
    }
    return p->length != 0;
}

static bool ip6_item(struct ip6_parser *p)
{
    unsigned value;
    if (p->used <= 12 && memchr(p->text, '.', p->length) && !memchr(p->text, ':', p->length)) {
        if (!bm_net_parse_ip4(p->text, p->length, p->bytes + p->used))
            return false;
        p->used += 4;
        p->length = 0;
        return true;
    }
    size_t digits = parse_group(p->text, p->length, &value);
    if (digits == 0 || p->used > 14)
        return false;
    p->bytes[p->used++] = (uint8_t)(value >> 8);
    p->bytes[p->used++] = (uint8_t)value;
    p->text += digits, p->length -= digits;
    return ip6_separator(p);
}

bool bm_net_parse_ip6(const char *text, size_t length, uint8_t bytes[16])
{
    struct ip6_parser p = {.text = text, .length = length, .gap = -1};
    if (length < 2 || (text[0] == ':' && text[1] != ':'))
        return false;
    if (text[0] == ':') {
        p.gap = 0;
        p.text += 2, p.length -= 2;
    }
    while (p.length)
        if (!ip6_item(&p))
            return false;
    if (p.gap < 0 ? p.used != 16 : p.used > 14)
        return false;
    unsigned before = p.gap < 0 ? 16 : (unsigned)p.gap, after = p.used - (p.gap < 0 ? 16 : before);
    memset(bytes, 0, 16);
    memcpy(bytes, p.bytes, before);
    memcpy(bytes + 16 - after, p.bytes + before, after);
    return true;
}
