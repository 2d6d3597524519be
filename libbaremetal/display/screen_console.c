// The console on a frame buffer.
// SPDX-License-Identifier: MIT
// @optimize balance
#include "display.h"
#include "font.h"
#include "text.h"

#include "../console/names.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

enum { LARGE = 2560 }; // pixels of a line, from which on a glyph's pixel is two by two

static struct {
    struct bm_text text; // first: draw() finds the rest
    struct bm_framebuffer *framebuffer;
    unsigned scale;
    uint32_t left, top, right, bottom; // drawn and not yet shown; nothing when left == right
} screen;

static uint32_t pixel_of(uint8_t colour)
{
    uint32_t rgb = bm_text_colour(colour);
    return bm_framebuffer_pixel(screen.framebuffer, rgb >> 16, rgb >> 8 & 255, rgb & 255);
}

// Runs of pixels alike are drawn as one.
static void row_draw(uint8_t row, uint32_t x, uint32_t y, uint32_t foreground, uint32_t background)
{
    unsigned scale = screen.scale;
    for (unsigned from = 0, to; from < BM_FONT_WIDTH; from = to) {
        bool set = row & 0x80 >> from;
        for (to = from + 1; to < BM_FONT_WIDTH && !(row & 0x80 >> to) == !set; to++)
            ;
        bm_framebuffer_fill(screen.framebuffer, x + from * scale, y, (to - from) * scale, scale,
                            set ? foreground : background);
    }
}

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void drawn(uint32_t x, uint32_t y)
{
    uint32_t right = x + BM_FONT_WIDTH * screen.scale, bottom = y + BM_FONT_HEIGHT * screen.scale;
    bool nothing = screen.left == screen.right;
    screen.left = nothing ? x : min(screen.left, x);
    screen.top = nothing ? y : min(screen.top, y);
    screen.right = nothing ? right : max(screen.right, right);
    screen.bottom = nothing ? bottom : max(screen.bottom, bottom);
}

static void show(void)
{
    bm_framebuffer_show(screen.framebuffer, screen.left, screen.top, screen.right - screen.left,
                        screen.bottom - screen.top);
    screen.left = screen.right = 0;
}

static void draw(struct bm_text *text, unsigned column, unsigned row, struct bm_text_cell cell)
{
    (void)text;
    const uint8_t *rows = bm_font_find(cell.code);
    uint32_t foreground = pixel_of(cell.foreground), background = pixel_of(cell.background);
    uint32_t x = column * BM_FONT_WIDTH * screen.scale, y = row * BM_FONT_HEIGHT * screen.scale;
    drawn(x, y);
    for (unsigned i = 0; i < BM_FONT_HEIGHT; i++, y += screen.scale)
        row_draw(rows[i], x, y, foreground, background);
}

static void screen_write(struct bm_console *console, const char *text, size_t size)
{
    (void)console;
    bm_text_write(&screen.text, text, size);
    show();
}

static struct bm_text_cell *cells_make(void)
{
    size_t count = (size_t)screen.text.columns * screen.text.rows;
    return bm_memory_permanent(count * sizeof(struct bm_text_cell), 64);
}

void bm_screen_console_begin(struct bm_framebuffer *framebuffer)
{
    static struct bm_console console = {.name = "screen", .write = screen_write};
    if (!bm_console_wanted(console.name))
        return;
    screen.framebuffer = framebuffer;
    screen.scale = framebuffer->width >= LARGE ? 2 : 1;
    unsigned columns = framebuffer->width / (BM_FONT_WIDTH * screen.scale);
    unsigned rows = framebuffer->height / (BM_FONT_HEIGHT * screen.scale);
    screen.text.columns = (uint16_t)(columns < BM_TEXT_COLUMNS_MAX ? columns : BM_TEXT_COLUMNS_MAX);
    screen.text.rows = (uint16_t)(rows < BM_TEXT_ROWS_MAX ? rows : BM_TEXT_ROWS_MAX);
    screen.text.draw = draw;
    if (!columns || !rows || !(screen.text.cells = cells_make()) || !(screen.text.shown = cells_make())) {
        bm_log_error("screen", "no console: the screen is too small, or memory is short");
        return;
    }
    bm_framebuffer_fill(framebuffer, 0, 0, framebuffer->width, framebuffer->height, 0);
    bm_framebuffer_show(framebuffer, 0, 0, framebuffer->width, framebuffer->height);
    bm_text_begin(&screen.text);
    show();
    bm_console_add_wanted(&console);
}
