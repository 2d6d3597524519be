// Paints with the keyboard: a pen that moves over the screen.
// SPDX-License-Identifier: MIT
//
// Arrows move the pen, with Shift by one pixel; Space puts it down or lifts it; 1 to 8 choose its colour; +
// and
// - its size; C clears; Esc ends.
#include <baremetal/framebuffer.h>
#include <baremetal/keyboard.h>
#include <baremetal/wait.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Numbers of keys: USB HID Usage Tables, "Keyboard/Keypad Page".
enum {
    KEY_C = 0x06,
    KEY_1 = 0x1e,
    KEY_ESC = 0x29,
    KEY_SPACE = 0x2c,
    KEY_MINUS = 0x2d,
    KEY_PLUS = 0x2e,
    KEY_RIGHT = 0x4f,
    KEY_LEFT,
    KEY_DOWN,
    KEY_UP,
    KEY_PAD_MINUS = 0x56,
    KEY_PAD_PLUS
};
enum { COLOURS = 8, PAPER = 7, BAR = 32, STEP = 8, PEN_MIN = 2, PEN_MAX = 64 };

static const unsigned char palette[COLOURS][3] = {{32, 32, 32},   {200, 40, 40},  {230, 130, 20},
                                                  {240, 210, 60}, {60, 160, 70},  {40, 110, 200},
                                                  {130, 70, 170}, {250, 248, 240}};

static struct {
    const struct bm_framebuffer *screen;
    unsigned char *picture; // a colour for each pixel: what the screen shows without the pen
    int width, height;      // of the picture; below it is the bar of colours
    int x, y, size;         // of the pen
    unsigned char colour;
    bool down;
} paint = {.size = 8};

static uint32_t pixel(unsigned colour)
{
    return bm_framebuffer_pixel(paint.screen, palette[colour][0], palette[colour][1], palette[colour][2]);
}

static int clamp(int value, int min, int max)
{
    return value < min ? min : value > max ? max : value;
}

// Draws a part of the picture, as runs of one colour.
static void redraw(int left, int top, int right, int bottom)
{
    left = clamp(left, 0, paint.width);
    right = clamp(right, 0, paint.width);
    top = clamp(top, 0, paint.height);
    bottom = clamp(bottom, 0, paint.height);
    for (int y = top; y < bottom; y++) {
        const unsigned char *line = paint.picture + (size_t)y * paint.width;
        for (int from = left, to; from < right; from = to) {
            for (to = from + 1; to < right && line[to] == line[from]; to++)
                ;
            bm_framebuffer_fill(paint.screen, from, y, to - from, 1, pixel(line[from]));
        }
    }
    if (left < right && top < bottom)
        bm_framebuffer_show(paint.screen, left, top, right - left, bottom - top);
}

// The pen is a frame around what it would paint.
static void pen_draw(void)
{
    int left = clamp(paint.x - 2, 0, paint.width), right = clamp(paint.x + paint.size + 2, 0, paint.width);
    int top = clamp(paint.y - 2, 0, paint.height), bottom = clamp(paint.y + paint.size + 2, 0, paint.height);
    uint32_t frame = pixel(paint.colour);
    bm_framebuffer_fill(paint.screen, left, top, right - left, 2, frame);
    bm_framebuffer_fill(paint.screen, left, bottom - 2, right - left, 2, frame);
    bm_framebuffer_fill(paint.screen, left, top, 2, bottom - top, frame);
    bm_framebuffer_fill(paint.screen, right - 2, top, 2, bottom - top, frame);
    bm_framebuffer_show(paint.screen, left, top, right - left, bottom - top);
}

static void pen_erase(void)
{
    redraw(paint.x - 2, paint.y - 2, paint.x + paint.size + 2, paint.y + paint.size + 2);
}

static void stamp(void)
{
    for (int y = paint.y; y < paint.y + paint.size && y < paint.height; y++)
        for (int x = paint.x; x < paint.x + paint.size && x < paint.width; x++)
            paint.picture[(size_t)y * paint.width + x] = paint.colour;
}

// Pixel by pixel, so that a fast pen leaves no gaps.
static void move(int dx, int dy, int steps)
{
    for (int i = 0; i < steps; i++) {
        int x = clamp(paint.x + dx, 0, paint.width - paint.size);
        int y = clamp(paint.y + dy, 0, paint.height - paint.size);
        pen_erase();
        paint.x = x;
        paint.y = y;
        if (paint.down)
            stamp();
    }
}

static void bar_draw(void)
{
    int width = (int)paint.screen->width, slot = width / COLOURS;
    bm_framebuffer_fill(paint.screen, 0, paint.height, width, BAR,
                        bm_framebuffer_pixel(paint.screen, 120, 120, 120));
    for (int i = 0; i < COLOURS; i++) {
        int border = i == paint.colour ? 2 : 8;
        bm_framebuffer_fill(paint.screen, i * slot + border, paint.height + border, slot - 2 * border,
                            BAR - 2 * border, pixel(i));
    }
    bm_framebuffer_show(paint.screen, 0, paint.height, width, BAR);
}

static void clear(void)
{
    memset(paint.picture, PAPER, (size_t)paint.width * paint.height);
    redraw(0, 0, paint.width, paint.height);
}

static void resize(int change)
{
    paint.size = clamp(paint.size + change, PEN_MIN, PEN_MAX);
    paint.x = clamp(paint.x, 0, paint.width - paint.size);
    paint.y = clamp(paint.y, 0, paint.height - paint.size);
}

static void key_take(const struct bm_key_event *key)
{
    int step = key->modifiers & (BM_KEY_SHIFT_LEFT | BM_KEY_SHIFT_RIGHT) ? 1 : STEP;
    pen_erase();
    if (key->usage >= KEY_1 && key->usage < KEY_1 + COLOURS)
        paint.colour = key->usage - KEY_1;
    else if (key->usage == KEY_SPACE)
        paint.down = !paint.down;
    else if (key->usage == KEY_C)
        clear();
    else if (key->usage == KEY_PLUS || key->usage == KEY_PAD_PLUS)
        resize(2);
    else if (key->usage == KEY_MINUS || key->usage == KEY_PAD_MINUS)
        resize(-2);
    else if (key->usage == KEY_LEFT || key->usage == KEY_RIGHT)
        move(key->usage == KEY_LEFT ? -1 : 1, 0, step);
    else if (key->usage == KEY_UP || key->usage == KEY_DOWN)
        move(0, key->usage == KEY_UP ? -1 : 1, step);
    if (paint.down)
        stamp();
    pen_erase();
    pen_draw();
    bar_draw();
}

static bool readable(void *arg)
{
    (void)arg;
    return bm_keyboard_readable();
}

static const char *start(void)
{
    paint.screen = bm_framebuffer_first();
    if (!paint.screen)
        return "this machine has no screen: QEMU has one with -device VGA or -device virtio-gpu-pci";
    if (paint.screen->width < 4 * PEN_MAX || paint.screen->height < 4 * PEN_MAX)
        return "the screen is too small";
    paint.width = (int)paint.screen->width;
    paint.height = (int)paint.screen->height - BAR;
    paint.picture = malloc((size_t)paint.width * paint.height);
    if (!paint.picture)
        return "memory is short";
    paint.x = paint.width / 2;
    paint.y = paint.height / 2;
    clear();
    bar_draw();
    pen_draw();
    return NULL;
}

int main(void)
{
    struct bm_key_event key = {0};
    const char *wrong = start();
    if (wrong) {
        printf("paint: %s\n", wrong);
        return 1;
    }
    printf(
        "paint: %u by %u pixels. Arrows move the pen (Shift: one pixel), Space puts it down and lifts it,\n"
        "1 to 8 choose the colour, + and - the size, C clears, Esc ends.\n",
        (unsigned)paint.width, (unsigned)paint.height);
    while (key.usage != KEY_ESC) {
        fflush(stdout);
        bm_wait_until(readable, NULL, UINT64_MAX);
        if (bm_keyboard_read(&key) && key.pressed)
            key_take(&key);
    }
    return 0;
}
