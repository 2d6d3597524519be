// The screen of the example mandelbrot: wrong loaders are refused, pixels of every form are set.
// SPDX-License-Identifier: MIT
// @sources examples/mandelbrot/screen.c
#include "../../examples/mandelbrot/screen.h"

#include <baremetal/memory.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 5, HEIGHT = 3 };

static unsigned char *mapped;
static size_t mapped_length;

volatile void *bm_memory_map_device(uint64_t physical, size_t length, unsigned flags)
{
    assert_int_equal(physical, 0xfd000000);
    assert_int_equal(flags, BM_MEMORY_WRITE | BM_MEMORY_WRITE_COMBINING);
    mapped = malloc(length);
    mapped_length = length;
    assert_non_null(mapped);
    memset(mapped, 0xee, length);
    return mapped;
}

// Positions and sizes of red, green and blue.
static struct bm_boot_framebuffer form(uint32_t pitch, uint8_t bits, const uint8_t colours[6])
{
    return (struct bm_boot_framebuffer){.base = 0xfd000000,
                                        .pitch = pitch,
                                        .width = WIDTH,
                                        .height = HEIGHT,
                                        .bits_per_pixel = bits,
                                        .red_position = colours[0],
                                        .red_size = colours[1],
                                        .green_position = colours[2],
                                        .green_size = colours[3],
                                        .blue_position = colours[4],
                                        .blue_size = colours[5]};
}

// 32 bits a pixel, a row longer than its pixels.
static struct bm_boot_info good(void)
{
    return (struct bm_boot_info){
        .framebuffer = form(WIDTH * 4 + 8, 32, (const uint8_t[]){16, 8, 8, 8, 0, 8}),
        .region_count = 1,
        .regions = {{.base = 0x100000, .length = 0xf00000, .type = BM_BOOT_REGION_RAM}},
    };
}

static void refuse(const struct bm_boot_info *info, const char *why)
{
    struct screen screen;
    assert_string_equal(screen_open(&screen, info), why);
}

static void bad_values(void **state)
{
    (void)state;
    struct bm_boot_info info = good();
#define REFUSE(member, value, why)                                                                           \
    info = good();                                                                                           \
    info.framebuffer.member = (value);                                                                       \
    refuse(&info, why)
    REFUSE(width, 0, "there is none");
    REFUSE(height, 0, "there is none");
    REFUSE(width, 16385, "it is too large");
    REFUSE(height, UINT32_MAX, "it is too large");
    REFUSE(bits_per_pixel, 8, "a pixel has neither 16 nor 24 nor 32 bits");
    REFUSE(bits_per_pixel, 33, "a pixel has neither 16 nor 24 nor 32 bits");
    REFUSE(pitch, WIDTH * 4 - 1, "the length of its rows is wrong");
    REFUSE(pitch, UINT32_MAX, "the length of its rows is wrong");
    REFUSE(red_size, 0, "its colours lie outside of the pixels");
    REFUSE(red_position, 25, "its colours lie outside of the pixels");
    REFUSE(green_position, 255, "its colours lie outside of the pixels");
    REFUSE(blue_size, 255, "its colours lie outside of the pixels");
    REFUSE(base, 0, "its address is wrong");
    REFUSE(base, UINT64_MAX - 10, "its address is wrong");
    REFUSE(base, 0xffff0, "its address is wrong"); // its end lies in memory
    REFUSE(base, 0xffffff, "its address is wrong");
}

// Opens a screen of that form, sets the last pixel of each row, and gives it back in *pixel.
static void set_pixels(const struct bm_boot_framebuffer *screen_form, const unsigned char *wanted,
                       size_t bytes)
{
    struct bm_boot_info info = good();
    struct screen screen;
    info.framebuffer = *screen_form;
    assert_null(screen_open(&screen, &info));
    assert_int_equal(mapped_length, screen_form->pitch * HEIGHT);
    assert_int_equal(screen.width, WIDTH);
    assert_int_equal(screen.height, HEIGHT);
    for (size_t y = 0; y < HEIGHT; y++)
        screen_set(&screen, WIDTH - 1, y, 0xff, 0x81, 0x0a);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t i = 0; i < screen_form->pitch; i++) {
            const size_t begin = (WIDTH - 1) * bytes;
            const unsigned char expected = i >= begin && i < begin + bytes ? wanted[i - begin] : 0xee;
            assert_int_equal(mapped[y * screen_form->pitch + i], expected);
        }
    free(mapped);
}

static void forms(void **state)
{
    (void)state;
    const struct bm_boot_framebuffer xrgb = form(28, 32, (const uint8_t[]){16, 8, 8, 8, 0, 8});
    const struct bm_boot_framebuffer ten = form(28, 32, (const uint8_t[]){20, 10, 10, 10, 0, 10});
    const struct bm_boot_framebuffer odd = form(27, 32, (const uint8_t[]){0, 8, 8, 8, 16, 8});
    const struct bm_boot_framebuffer rgb = form(15, 24, (const uint8_t[]){16, 8, 8, 8, 0, 8});
    const struct bm_boot_framebuffer sixteen = form(12, 16, (const uint8_t[]){11, 5, 5, 6, 0, 5});
    // Red 0xff, green 0x81, blue 0x0a; the lowest byte comes first.
    set_pixels(&xrgb, (const unsigned char[]){0x0a, 0x81, 0xff, 0x00}, 4);
    set_pixels(&ten, (const unsigned char[]){0x28, 0x10, 0xc8, 0x3f}, 4); // 0x3fc << 20 | 0x204 << 10 | 0x028
    set_pixels(&odd, (const unsigned char[]){0xff, 0x81, 0x0a, 0x00}, 4);
    set_pixels(&rgb, (const unsigned char[]){0x0a, 0x81, 0xff}, 3);
    set_pixels(&sixteen, (const unsigned char[]){0x01, 0xfc}, 2); // 31 << 11 | 32 << 5 | 1
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_values),
        cmocka_unit_test(forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
