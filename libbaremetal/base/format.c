// The kernel's printf: the conversions that log.h promises, and no more.
// SPDX-License-Identifier: MIT
#include <baremetal/assert.h>
#include <baremetal/log.h>
#include <stdbool.h>
#include <stdint.h>

struct output {
    char *buffer;
    size_t size;   // of buffer
    size_t length; // of the whole text, also of what did not fit
};

struct conversion {
    bool left, zero, precise;
    unsigned char size; // 4 or 8: bytes of an integer argument
    unsigned width, precision;
};

enum { WIDTH_MAX = 4096, DIGITS_MAX = 24 };

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_many(struct output *out, char c, unsigned count)
{
    while (count--)
        put(out, c);
}

// Text in its field: sign or prefix, then zeros or spaces as the flags say.
static void put_field(struct output *out, const struct conversion *conv, const char *prefix, const char *text,
                      unsigned length)
{
    unsigned used = length;
    for (const char *p = prefix; *p; p++)
        used++;
    unsigned padding = conv->width > used ? conv->width - used : 0;
    bool zeros = conv->zero && !conv->left;
    if (!conv->left && !zeros)
        put_many(out, ' ', padding);
    while (*prefix)
        put(out, *prefix++);
    if (zeros)
        put_many(out, '0', padding);
    while (length--)
        put(out, *text++);
    if (conv->left)
        put_many(out, ' ', padding);
}

static void put_number(struct output *out, const struct conversion *conv, const char *prefix, uint64_t value,
                       unsigned base, bool upper)
{
    char digits[DIGITS_MAX];
    unsigned at = DIGITS_MAX;
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    do {
        digits[--at] = alphabet[value % base];
        value /= base;
    } while (value);
    put_field(out, conv, prefix, digits + at, DIGITS_MAX - at);
}

static void put_string(struct output *out, struct conversion *conv, const char *text)
{
    if (!text)
        text = "(null)";
    unsigned length = 0;
    while ((!conv->precise || length < conv->precision) && length < WIDTH_MAX && text[length])
        length++;
    conv->zero = false;
    put_field(out, conv, "", text, length);
}

static unsigned parse_number(const char **format)
{
    unsigned number = 0;
    while (**format >= '0' && **format <= '9') {
        number = number * 10 + (unsigned)(*(*format)++ - '0');
        if (number > WIDTH_MAX)
            number = WIDTH_MAX;
    }
    return number;
}

// Flags, width, precision and length of one conversion. `star` gives the int arguments of * when they are
// needed.
static void parse(const char **format, struct conversion *conv, va_list *arguments)
{
    for (;; (*format)++) {
        if (**format == '-')
            conv->left = true;
        else if (**format == '0')
            conv->zero = true;
        else
            break;
    }
    if (**format == '*') {
        int width = va_arg(*arguments, int);
        conv->left |= width < 0;
        unsigned wanted = width < 0 ? 0u - (unsigned)width : (unsigned)width;
        conv->width = wanted > WIDTH_MAX ? WIDTH_MAX : wanted;
        (*format)++;
    } else {
        conv->width = parse_number(format);
    }
    if (**format == '.') {
        (*format)++;
        conv->precise = true;
        if (**format == '*') {
            int precision = va_arg(*arguments, int);
            conv->precise = precision >= 0;
            conv->precision = (unsigned)precision;
            (*format)++;
        } else {
            conv->precision = parse_number(format);
        }
    }
    conv->size = 4;
    for (; **format == 'l' || **format == 'z'; (*format)++)
        conv->size = 8;
}

static uint64_t take_unsigned(const struct conversion *conv, va_list *arguments)
{
    return conv->size == 8 ? va_arg(*arguments, uint64_t) : va_arg(*arguments, uint32_t);
}

static void convert(struct output *out, struct conversion *conv, char type, va_list *arguments)
{
    switch (type) {
    case 'c': {
        char c = (char)va_arg(*arguments, int);
        conv->zero = false;
        put_field(out, conv, "", &c, 1);
        break;
    }
    case 's':
        put_string(out, conv, va_arg(*arguments, const char *));
        break;
    case 'd':
    case 'i': {
        int64_t value = conv->size == 8 ? va_arg(*arguments, int64_t) : va_arg(*arguments, int32_t);
        put_number(out, conv, value < 0 ? "-" : "", value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10,
                   false);
        break;
    }
    case 'u':
        put_number(out, conv, "", take_unsigned(conv, arguments), 10, false);
        break;
    case 'x':
    case 'X':
        put_number(out, conv, "", take_unsigned(conv, arguments), 16, type == 'X');
        break;
    case 'p':
        put_number(out, conv, "0x", (uintptr_t)va_arg(*arguments, void *), 16, false);
        break;
    default: // an unknown conversion shows as it is written
        put(out, '%');
        put(out, type);
    }
}

int bm_format_list(char *buffer, size_t size, const char *format, va_list arguments)
{
    BM_ASSERT(buffer && size, "the buffer of a text must have room for its end");
    struct output out = {buffer, size, 0};
    va_list rest;
    va_copy(rest, arguments);
    while (*format) {
        char c = *format++;
        if (c != '%') {
            put(&out, c);
            continue;
        }
        struct conversion conv = {0};
        parse(&format, &conv, &rest);
        if (!*format)
            break;
        c = *format++;
        if (c == '%')
            put(&out, c);
        else
            convert(&out, &conv, c, &rest);
    }
    va_end(rest);
    buffer[out.length < size ? out.length : size - 1] = 0;
    return (int)out.length;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    BM_ASSERT(buffer && size, "the buffer of a text must have room for its end");
    va_start(arguments, format);
    int length = bm_format_list(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
