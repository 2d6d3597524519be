// A text screen: characters, lines, and drawing what has changed.
// SPDX-License-Identifier: MIT
// @optimize balance
#include "text.h"

enum { GREY = 7, BLACK = 0, TAB = 8, REPLACEMENT = 0xfffd, SURROGATES = 0xd800, SURROGATES_END = 0xdfff };

static struct bm_text_cell *cell_at(const struct bm_text *text, unsigned column, unsigned row)
{
    unsigned at = text->first + row;
    return &text->cells[(at < text->rows ? at : at - text->rows) * text->columns + column];
}

static struct bm_text_cell blank(const struct bm_text *text)
{
    return (struct bm_text_cell){' ', text->foreground, text->background};
}

void bm_text_clear(struct bm_text *text, unsigned from, unsigned to)
{
    for (; from < to; from++)
        *cell_at(text, from % text->columns, from / text->columns) = blank(text);
}

void bm_text_move(struct bm_text *text, int column, int row)
{
    text->column = (uint16_t)(column < 0 ? 0 : column < text->columns ? column : text->columns - 1);
    text->row = (uint16_t)(row < 0 ? 0 : row < text->rows ? row : text->rows - 1);
    text->wraps = false;
}

// The rows stand in a ring, so that a line more costs clearing one.
void bm_text_scroll(struct bm_text *text)
{
    text->first = (uint16_t)((text->first + 1) % text->rows);
    bm_text_clear(text, (text->rows - 1u) * text->columns, (unsigned)text->rows * text->columns);
}

static void line_feed(struct bm_text *text)
{
    text->wraps = false;
    if (text->row + 1 < text->rows)
        text->row++;
    else
        bm_text_scroll(text);
}

static void put(struct bm_text *text, uint32_t code)
{
    if (text->wraps) {
        text->column = 0;
        line_feed(text);
    }
    uint8_t foreground = text->foreground, background = text->background;
    if (text->bold && foreground < 8)
        foreground = (uint8_t)(foreground + 8);
    *cell_at(text, text->column, text->row) = (struct bm_text_cell){
        code <= 0xffff ? (uint16_t)code : REPLACEMENT, text->reverse ? background : foreground,
        text->reverse ? foreground : background};
    if (text->column + 1 < text->columns)
        text->column++;
    else
        text->wraps = true;
}

static void control(struct bm_text *text, unsigned char byte)
{
    switch (byte) {
    case '\n':
        line_feed(text);
        text->column = 0;
        break;
    case '\r':
        bm_text_move(text, 0, text->row);
        break;
    case '\b':
        bm_text_move(text, text->column - 1, text->row);
        break;
    case '\t':
        bm_text_move(text, (text->column / TAB + 1) * TAB, text->row);
        break;
    case 0x1b:
        text->state = BM_TEXT_ESCAPE;
    }
}

// Whether what UTF-8 said is a character, in its shortest form (RFC 3629 section 3).
static bool is_character(const struct bm_text *text)
{
    static const uint32_t min[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = text->character;
    return code >= min[text->character_length] && code <= 0x10ffff &&
           !(code >= SURROGATES && code <= SURROGATES_END);
}

static void begin(struct bm_text *text, unsigned char byte)
{
    uint8_t length = byte >= 0xf0 && byte < 0xf5   ? 4
                     : byte >= 0xe0 && byte < 0xf0 ? 3
                     : byte >= 0xc2 && byte < 0xe0 ? 2
                                                   : 0;
    if (!length) {
        put(text, REPLACEMENT);
        return;
    }
    text->character_length = length;
    text->character_rest = (uint8_t)(length - 1);
    text->character = byte & (0x7fu >> length);
}

static void take(struct bm_text *text, unsigned char byte)
{
    if (text->character_rest && (byte & 0xc0) == 0x80) {
        text->character = text->character << 6 | (byte & 0x3f);
        if (--text->character_rest == 0)
            put(text, is_character(text) ? text->character : REPLACEMENT);
        return;
    }
    if (text->character_rest) { // it ended in between
        text->character_rest = 0;
        put(text, REPLACEMENT);
    }
    if (text->state != BM_TEXT_GROUND)
        bm_text_escape(text, byte);
    else if (byte < ' ' || byte == 0x7f)
        control(text, byte);
    else if (byte < 0x7f)
        put(text, byte);
    else
        begin(text, byte);
}

static bool is_same(struct bm_text_cell a, struct bm_text_cell b)
{
    return a.code == b.code && a.foreground == b.foreground && a.background == b.background;
}

static void show(struct bm_text *text)
{
    struct bm_text_cell *shown = text->shown;
    for (unsigned row = 0; row < text->rows; row++)
        for (unsigned column = 0; column < text->columns; column++, shown++) {
            struct bm_text_cell cell = *cell_at(text, column, row);
            if (row == text->row && column == text->column && !text->hidden)
                cell = (struct bm_text_cell){cell.code, cell.background, cell.foreground};
            if (is_same(cell, *shown))
                continue;
            *shown = cell;
            text->draw(text, column, row, cell);
        }
}

void bm_text_begin(struct bm_text *text)
{
    text->foreground = GREY;
    text->background = BLACK;
    bm_text_clear(text, 0, (unsigned)text->rows * text->columns);
    show(text);
}

void bm_text_write(struct bm_text *text, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        take(text, (unsigned char)bytes[i]);
    show(text);
}

uint32_t bm_text_colour(uint8_t number)
{
    static const uint32_t named[16] = {0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa,
                                       0x00aaaa, 0xaaaaaa, 0x555555, 0xff5555, 0x55ff55, 0xffff55,
                                       0x5555ff, 0xff55ff, 0x55ffff, 0xffffff};
    static const uint8_t levels[6] = {0, 95, 135, 175, 215, 255};
    if (number < 16)
        return named[number];
    if (number >= 232)
        return (8 + (number - 232u) * 10) * 0x010101u;
    number = (uint8_t)(number - 16);
    return (uint32_t)levels[number / 36] << 16 | (uint32_t)levels[number / 6 % 6] << 8 | levels[number % 6];
}
