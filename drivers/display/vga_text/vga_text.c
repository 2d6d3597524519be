// VGA's text mode, 80 by 25 characters: what a BIOS leaves behind.
// SPDX-License-Identifier: MIT
//
// QEMU: -device VGA, with SeaBIOS
//
// The memory of characters is at 0xb8000, two bytes each: one of code page 437, and the colours (IBM VGA
// technical reference, "Alphanumeric modes"). A machine whose loader has set up graphics does not show it.
#include "../../../libbaremetal/console/names.h"
#include "../../../libbaremetal/display/text.h"

#include <baremetal/boot.h>
#include <baremetal/cpu.h>
#include <baremetal/device.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <stddef.h>

enum {
    MEMORY = 0xb8000,
    COLUMNS = 80,
    ROWS = 25,
    GRAPHICS_INDEX = 0x3ce,
    GRAPHICS_DATA = 0x3cf,
    MISCELLANEOUS = 6, // graphics register: bit 0 is graphics, bits 2 and 3 where the memory is
    MISCELLANEOUS_MASK = 0x0d,
    MISCELLANEOUS_TEXT = 0x0c, // text, at 0xb8000
    CURSOR_INDEX = 0x3d4,
    CURSOR_DATA = 0x3d5,
    CURSOR_START = 0x0a,
    CURSOR_OFF = 0x20
};

static volatile uint16_t *memory;
static struct bm_text_cell cells[COLUMNS * ROWS], shown[COLUMNS * ROWS];

// Code page 437 has these beside ASCII; in the order of its numbers from 0x80 up.
static const uint16_t upper[128] = {
    0xc7,   0xfc,   0xe9,   0xe2,   0xe4,   0xe0,   0xe5,   0xe7,   0xea,   0xeb,   0xe8,   0xef,   0xee,
    0xec,   0xc4,   0xc5,   0xc9,   0xe6,   0xc6,   0xf4,   0xf6,   0xf2,   0xfb,   0xf9,   0xff,   0xd6,
    0xdc,   0xa2,   0xa3,   0xa5,   0x20a7, 0x192,  0xe1,   0xed,   0xf3,   0xfa,   0xf1,   0xd1,   0xaa,
    0xba,   0xbf,   0x2310, 0xac,   0xbd,   0xbc,   0xa1,   0xab,   0xbb,   0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x3b1,  0xdf,   0x393,  0x3c0,  0x3a3,  0x3c3,  0xb5,   0x3c4,
    0x3a6,  0x398,  0x3a9,  0x3b4,  0x221e, 0x3c6,  0x3b5,  0x2229, 0x2261, 0xb1,   0x2265, 0x2264, 0x2320,
    0x2321, 0xf7,   0x2248, 0xb0,   0x2219, 0xb7,   0x221a, 0x207f, 0xb2,   0x25a0, 0xa0};

static uint8_t code_of(uint16_t character)
{
    if (character < 0x7f)
        return (uint8_t)character;
    for (unsigned i = 0; i < 128; i++)
        if (upper[i] == character)
            return (uint8_t)(0x80 + i);
    return '?';
}

// Colours have red and blue in each other's places; those beyond the 16 by name become the nearest of them.
static uint8_t colour_of(uint8_t colour)
{
    if (colour >= 16) {
        uint32_t rgb = bm_text_colour(colour);
        bool red = rgb >> 16 > 100, green = (rgb >> 8 & 255) > 100, blue = (rgb & 255) > 100;
        bool bright = rgb >> 16 > 200 || (rgb >> 8 & 255) > 200 || (rgb & 255) > 200;
        colour = (uint8_t)(red | green << 1 | blue << 2 | bright << 3);
    }
    return (uint8_t)((colour & 0x0a) | (colour & 1) << 2 | (colour & 4) >> 2);
}

static void draw(struct bm_text *text, unsigned column, unsigned row, struct bm_text_cell cell)
{
    (void)text;
    // The highest bit of the background blinks: bright ones are shown dark.
    uint8_t colours = (uint8_t)(colour_of(cell.foreground) | (colour_of(cell.background) & 7) << 4);
    memory[row * COLUMNS + column] = (uint16_t)(code_of(cell.code) | colours << 8);
}

static struct bm_text text = {.columns = COLUMNS, .rows = ROWS, .cells = cells, .shown = shown, .draw = draw};

static void vga_write(struct bm_console *console, const char *bytes, size_t size)
{
    (void)console;
    bm_text_write(&text, bytes, size);
}

// Whether a VGA is there, in text mode at that place; what answers to no port reads as ones.
static bool is_in_text_mode(void)
{
    bm_port_out8(GRAPHICS_INDEX, MISCELLANEOUS);
    return (bm_port_in8(GRAPHICS_DATA) & MISCELLANEOUS_MASK) == (MISCELLANEOUS_TEXT | 0) &&
           bm_port_in8(GRAPHICS_INDEX) == MISCELLANEOUS;
}

// Whether the memory keeps what is written.
static bool keeps(void)
{
    uint16_t before = *memory;
    *memory = 0x5aa5;
    bool kept = *memory == 0x5aa5;
    *memory = before;
    return kept;
}

static int vga_text_attach(struct bm_device *machine)
{
    (void)machine;
    static struct bm_console console = {.name = "vga", .write = vga_write};
    if (bm_boot_info_get()->framebuffer.width ||
        bm_device_is_ram(MEMORY, sizeof(uint16_t) * COLUMNS * ROWS) || !is_in_text_mode() ||
        !bm_console_wanted(console.name))
        return 0;
    memory =
        bm_memory_map_device(MEMORY, sizeof(uint16_t) * COLUMNS * ROWS, BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    if (!memory || !keeps())
        return 0;
    bm_port_out8(CURSOR_INDEX, CURSOR_START);
    bm_port_out8(CURSOR_DATA, CURSOR_OFF);
    bm_text_begin(&text);
    bm_console_add_wanted(&console);
    return 0;
}

static const struct bm_device_id vga_text_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

BM_DRIVER(vga_text) = {.name = "vga_text", .ids = vga_text_ids, .attach = vga_text_attach};
