// A text screen: a grid of characters that ANSI's control sequences (ECMA-48) move in, whatever shows it.
// SPDX-License-Identifier: MIT
//
// Functions over memory alone: they draw by a callback, take no lock, allocate nothing and may be called in
// any context, by one core at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BM_TEXT_COLUMNS_MAX = 2048, BM_TEXT_ROWS_MAX = 1024, BM_TEXT_PARAMETERS = 16 };

// Colours are numbers of the palette of 256 that terminals have: 16 by name, a cube of 216, 24 greys.
struct bm_text_cell {
    uint16_t code; // Unicode; 0: a blank that was never written
    uint8_t foreground, background;
};

enum bm_text_state { BM_TEXT_GROUND, BM_TEXT_ESCAPE, BM_TEXT_SEQUENCE, BM_TEXT_STRING };

struct bm_text {
    // The owner's:
    uint16_t columns, rows;     // 1 to the limits above
    struct bm_text_cell *cells; // columns * rows, all zeros at the start
    struct bm_text_cell *shown; // as many, all zeros: what was drawn
    void (*draw)(struct bm_text *text, unsigned column, unsigned row, struct bm_text_cell cell);
    // Its own:
    uint16_t first;       // row of `cells` that is at the top
    uint16_t column, row; // where the next character goes
    uint16_t saved_column, saved_row;
    uint8_t foreground, background;
    bool bold, reverse;
    bool wraps;  // the last column was written; the next character begins a line
    bool hidden; // the cursor
    enum bm_text_state state;
    bool private_sequence; // with a '?'
    uint8_t parameter_count;
    uint16_t parameters[BM_TEXT_PARAMETERS];
    uint32_t character; // of which UTF-8's first bytes have come
    uint8_t character_rest, character_length;
};

// Sets the colours and draws the empty screen. After the owner's members.
void bm_text_begin(struct bm_text *text);

// Takes text in UTF-8; a newline also returns to the first column. Draws what has changed at its end.
void bm_text_write(struct bm_text *text, const char *bytes, size_t size);

// Red, green and blue of a colour, 8 bits each from bit 16 down.
uint32_t bm_text_colour(uint8_t number);

// For escape.c: what sequences do. Positions are cut to what there is.
void bm_text_move(struct bm_text *text, int column, int row);
void bm_text_clear(struct bm_text *text, unsigned from,
                   unsigned to);           // cells of the screen, row by row; `to` is behind
void bm_text_scroll(struct bm_text *text); // one line up

// escape.c: a byte of a sequence that has begun with ESC.
void bm_text_escape(struct bm_text *text, unsigned char byte);
