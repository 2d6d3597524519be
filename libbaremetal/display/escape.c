// Control sequences of a text screen: ECMA-48, and what xterm made usual beside it.
// SPDX-License-Identifier: MIT
#include "text.h"

enum { PARAMETER_MAX = 9999, COLOUR_TABLE = 5, COLOUR_TRUE = 2, GREY = 7, BLACK = 0 };

// The parameter, or what stands for one that is missing or 0.
static int parameter(const struct bm_text *text, unsigned index, int otherwise)
{
    int value = index < text->parameter_count ? text->parameters[index] : 0;
    return value ? value : otherwise;
}

static uint8_t cube_level(int value)
{
    return (uint8_t)(value < 48 ? 0 : value < 115 ? 1 : value > 255 ? 5 : (value - 35) / 40);
}

// 38 and 48 of SGR: a number of the palette, or red, green and blue, of which the nearest of the cube is
// taken. Returns how many parameters it took besides.
static unsigned colour_extended(const struct bm_text *text, unsigned index, uint8_t *colour)
{
    int kind = parameter(text, index + 1, 0);
    if (kind == COLOUR_TABLE) {
        *colour = (uint8_t)parameter(text, index + 2, 0);
        return 2;
    }
    if (kind != COLOUR_TRUE)
        return 1;
    *colour =
        (uint8_t)(16 + 36 * cube_level(parameter(text, index + 2, 0)) +
                  6 * cube_level(parameter(text, index + 3, 0)) + cube_level(parameter(text, index + 4, 0)));
    return 4;
}

static void attribute_set(struct bm_text *text, int value)
{
    if (value == 0) {
        text->bold = text->reverse = false;
        text->foreground = GREY;
        text->background = BLACK;
    } else if (value == 1 || value == 22)
        text->bold = value == 1;
    else if (value == 7 || value == 27)
        text->reverse = value == 7;
    else if (value >= 30 && value <= 37)
        text->foreground = (uint8_t)(value - 30);
    else if (value == 39)
        text->foreground = GREY;
    else if (value >= 40 && value <= 47)
        text->background = (uint8_t)(value - 40);
    else if (value == 49)
        text->background = BLACK;
    else if (value >= 90 && value <= 97)
        text->foreground = (uint8_t)(value - 90 + 8);
    else if (value >= 100 && value <= 107)
        text->background = (uint8_t)(value - 100 + 8);
}

// SGR, section 8.3.117.
static void attributes_set(struct bm_text *text)
{
    unsigned count = text->parameter_count ? text->parameter_count : 1;
    for (unsigned i = 0; i < count; i++) {
        int value = parameter(text, i, 0);
        if (value == 38)
            i += colour_extended(text, i, &text->foreground);
        else if (value == 48)
            i += colour_extended(text, i, &text->background);
        else
            attribute_set(text, value);
    }
}

// ED and EL, sections 8.3.39 and 8.3.41: behind the cursor, up to it, or all.
static void erase(struct bm_text *text, unsigned begin, unsigned end)
{
    unsigned here = (unsigned)text->row * text->columns + text->column;
    int what = parameter(text, 0, 0);
    if (what <= 3)
        bm_text_clear(text, what == 0 ? here : begin, what == 1 ? here + 1 : end);
}

static void position_save(struct bm_text *text)
{
    text->saved_column = text->column;
    text->saved_row = text->row;
}

// The last byte of a sequence says what it is.
static void perform(struct bm_text *text, unsigned char byte)
{
    int count = parameter(text, 0, 1), column = text->column, row = text->row;
    unsigned line = (unsigned)row * text->columns;
    switch (byte) {
    case 'A':
        bm_text_move(text, column, row - count);
        break;
    case 'B':
        bm_text_move(text, column, row + count);
        break;
    case 'C':
        bm_text_move(text, column + count, row);
        break;
    case 'D':
        bm_text_move(text, column - count, row);
        break;
    case 'G':
        bm_text_move(text, count - 1, row);
        break;
    case 'd':
        bm_text_move(text, column, count - 1);
        break;
    case 'H':
    case 'f':
        bm_text_move(text, parameter(text, 1, 1) - 1, count - 1);
        break;
    case 'J':
        erase(text, 0, (unsigned)text->rows * text->columns);
        break;
    case 'K':
        erase(text, line, line + text->columns);
        break;
    case 'm':
        attributes_set(text);
        break;
    case 's':
        position_save(text);
        break;
    case 'u':
        bm_text_move(text, text->saved_column, text->saved_row);
    }
}

// Modes of DEC's terminals: of them only whether the cursor is shown.
static void perform_private(struct bm_text *text, unsigned char byte)
{
    if (parameter(text, 0, 0) == 25 && (byte == 'h' || byte == 'l'))
        text->hidden = byte == 'l';
}

static void sequence_take(struct bm_text *text, unsigned char byte)
{
    uint16_t *last = &text->parameters[text->parameter_count ? text->parameter_count - 1 : 0];
    if (byte >= '0' && byte <= '9') {
        if (text->parameter_count == 0)
            text->parameter_count = 1;
        unsigned value = *last * 10u + (byte - '0');
        *last = (uint16_t)(value < PARAMETER_MAX ? value : PARAMETER_MAX);
    } else if (byte == ';' || byte == ':') {
        if (text->parameter_count == 0)
            text->parameter_count = 1;
        if (text->parameter_count < BM_TEXT_PARAMETERS)
            text->parameters[text->parameter_count++] = 0;
    } else if (byte == '?') {
        text->private_sequence = true;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        text->state = BM_TEXT_GROUND;
        if (text->private_sequence)
            perform_private(text, byte);
        else
            perform(text, byte);
    } else if (byte < ' ' || byte > 0x7e) {
        text->state = BM_TEXT_GROUND; // it was cut off
    }
}

static void escape_take(struct bm_text *text, unsigned char byte)
{
    text->state = BM_TEXT_GROUND;
    if (byte == '[') {
        text->state = BM_TEXT_SEQUENCE;
        text->private_sequence = false;
        text->parameter_count = 0;
        text->parameters[0] = 0;
    } else if (byte == ']' || byte == 'P') {
        text->state = BM_TEXT_STRING; // a title and the like: thrown away
    } else if (byte == '7') {
        position_save(text);
    } else if (byte == '8') {
        bm_text_move(text, text->saved_column, text->saved_row);
    }
}

void bm_text_escape(struct bm_text *text, unsigned char byte)
{
    if (byte == 0x1b)
        text->state = BM_TEXT_ESCAPE; // from whatever was under way
    else if (text->state == BM_TEXT_ESCAPE)
        escape_take(text, byte);
    else if (text->state == BM_TEXT_SEQUENCE)
        sequence_take(text, byte);
    else if (byte == '\a' || byte == '\n') // ends a string
        text->state = BM_TEXT_GROUND;
}
