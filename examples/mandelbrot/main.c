// Computes a picture of the Mandelbrot set on all cores; shows it on the screen, or on the console as a PPM.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -kernel mandelbrot -append "-- size=640x480" -smp 4 … > log
//     tr -d '\r' < log | sed -n '/^-----BEGIN PPM/,/^-----END PPM/{//!p}' > mandelbrot.ppm
//
// A screen is there when the firmware or the loader has set one up: under UEFI, or on a disk that asks for it
// (baremetal_add_image(mandelbrot FORMATS raw VIDEO 1024x768)).
//
// The arithmetic is plain IEEE 754 double without contraction, so every machine computes the same picture.
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <baremetal/work.h>

#include "screen.h"

enum { WIDTH_MAX = 4096, HEIGHT_MAX = 4096, ITERATIONS = 256, PIXELS_A_LINE = 5 };

struct pixel {
    unsigned char red, green, blue;
};

struct picture {
    size_t width, height; // 0: as large as the screen
    struct pixel *pixels; // row by row
    atomic_size_t rows_done;
    unsigned tenths_shown;
};

// Steps until the point leaves the circle of radius 2, at most ITERATIONS.
static unsigned escape_time(double real, double imaginary)
{
    double x = 0, y = 0;
    unsigned n = 0;
    for (; n < ITERATIONS; n++) {
        const double xx = x * x, yy = y * y, xy = x * y;
        if (xx + yy > 4.0)
            break;
        x = xx - yy + real;
        y = xy + xy + imaginary;
    }
    return n;
}

// Colours that follow each other, each for STEP steps, and what lies between them. The set itself is black.
static struct pixel colour(unsigned n)
{
    enum { STEP = 8 };
    static const int stops[][3] = {{0, 7, 60},     {20, 80, 180}, {120, 190, 240}, {250, 250, 220},
                                   {255, 180, 30}, {160, 60, 10}, {60, 10, 40}};
    const unsigned count = sizeof(stops) / sizeof(stops[0]);
    if (n == ITERATIONS)
        return (struct pixel){0, 0, 0};
    const int *from = stops[n / STEP % count], *to = stops[(n / STEP + 1) % count];
    const int after = (int)(n % STEP), before = STEP - after;
    return (struct pixel){(unsigned char)((from[0] * before + to[0] * after) / STEP),
                          (unsigned char)((from[1] * before + to[1] * after) / STEP),
                          (unsigned char)((from[2] * before + to[2] * after) / STEP)};
}

// Only main's core writes, so that lines never mix.
static void show_progress(struct picture *picture)
{
    const size_t done = atomic_fetch_add(&picture->rows_done, 1) + 1;
    const unsigned tenths = (unsigned)(done * 10 / picture->height);
    if (bm_core_id() != 0 || tenths == picture->tenths_shown)
        return;
    picture->tenths_shown = tenths;
    printf("mandelbrot: %u %%\n", tenths * 10);
}

// What one core computes: the rows [begin, end). The picture shows 3 units from left to right, around -0.75.
static void compute_rows(size_t begin, size_t end, void *arg)
{
    struct picture *picture = arg;
    const double step = 3.0 / (double)picture->width;
    for (size_t row = begin; row < end; row++) {
        const double imaginary = ((double)row - (double)picture->height / 2.0) * step;
        for (size_t column = 0; column < picture->width; column++) {
            const double real = ((double)column - (double)picture->width / 2.0) * step - 0.75;
            picture->pixels[row * picture->width + column] = colour(escape_time(real, imaginary));
        }
        show_progress(picture);
    }
}

// FNV-1a, 64 bits, over red, green and blue of every pixel.
static uint64_t checksum(const struct picture *picture)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        const struct pixel p = picture->pixels[i];
        hash = (hash ^ p.red) * UINT64_C(0x100000001b3);
        hash = (hash ^ p.green) * UINT64_C(0x100000001b3);
        hash = (hash ^ p.blue) * UINT64_C(0x100000001b3);
    }
    return hash;
}

// PPM in its plain form (P3): decimal numbers, in lines of at most 70 characters.
static void write_ppm(const struct picture *picture)
{
    printf("-----BEGIN PPM-----\nP3\n%zu %zu\n255\n", picture->width, picture->height);
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        const struct pixel p = picture->pixels[i];
        printf("%u %u %u%c", p.red, p.green, p.blue, (i + 1) % PIXELS_A_LINE ? ' ' : '\n');
    }
    printf("\n-----END PPM-----\n");
}

struct drawing {
    const struct picture *picture;
    const struct screen *screen;
};

// What one core draws: the rows [begin, end) of the screen, with the picture in the middle, on black.
static void draw_rows(size_t begin, size_t end, void *arg)
{
    static const struct pixel black;
    const struct picture *picture = ((struct drawing *)arg)->picture;
    const struct screen *screen = ((struct drawing *)arg)->screen;
    const long left = ((long)screen->width - (long)picture->width) / 2;
    const long top = ((long)screen->height - (long)picture->height) / 2;
    for (size_t y = begin; y < end; y++) {
        const size_t row = (size_t)((long)y - top); // beyond the height when it is negative
        for (size_t x = 0; x < screen->width; x++) {
            const size_t column = (size_t)((long)x - left);
            const bool inside = row < picture->height && column < picture->width;
            const struct pixel p = inside ? picture->pixels[row * picture->width + column] : black;
            screen_set(screen, x, y, p.red, p.green, p.blue);
        }
    }
}

// The machine ends with the program, and the screen with it: not before somebody says so.
static void show(const struct picture *picture, const struct screen *screen)
{
    struct drawing drawing = {picture, screen};
    bm_parallel_for(0, screen->height, 0, draw_rows, &drawing);
    printf("mandelbrot: shown on %zux%zu with %u bits a pixel; Enter on the console ends it\n", screen->width,
           screen->height, screen->form.bits_per_pixel);
    getchar();
}

static bool parse(int argc, char **argv, struct picture *picture)
{
    for (int i = 1; i < argc; i++) {
        unsigned width = 0, height = 0;
        char rest;
        // At most five digits a number: it cannot overflow.
        if (sscanf(argv[i], "size=%5ux%5u%c", &width, &height, &rest) != 2 || width < 1 ||
            width > WIDTH_MAX || height < 1 || height > HEIGHT_MAX) {
            fprintf(stderr, "mandelbrot: '%s' is not known; known: size=160x120, 1x1 to %dx%d\n", argv[i],
                    WIDTH_MAX, HEIGHT_MAX);
            return false;
        }
        picture->width = width;
        picture->height = height;
    }
    return true;
}

// As large as the screen unless the size was said.
static void choose_size(struct picture *picture, const struct screen *screen)
{
    enum { WIDTH = 160, HEIGHT = 120 };
    if (picture->width)
        return;
    picture->width = !screen ? WIDTH : screen->width < WIDTH_MAX ? screen->width : WIDTH_MAX;
    picture->height = !screen ? HEIGHT : screen->height < HEIGHT_MAX ? screen->height : HEIGHT_MAX;
}

int main(int argc, char **argv)
{
    struct picture picture = {.width = 0};
    struct screen screen;
    if (!parse(argc, argv, &picture))
        return EXIT_FAILURE;
    const char *problem = screen_open(&screen, bm_boot_info_get());
    if (problem && bm_boot_info_get()->framebuffer.width)
        fprintf(stderr, "mandelbrot: the screen cannot be used: %s\n", problem);
    choose_size(&picture, problem ? NULL : &screen);
    picture.pixels = calloc(picture.width * picture.height, sizeof(struct pixel));
    if (picture.pixels == NULL) {
        fprintf(stderr, "mandelbrot: no memory for %zux%zu pixels; start the machine with more\n",
                picture.width, picture.height);
        return EXIT_FAILURE;
    }
    // A row at a time: those through the set take longest, and cores that are done take another one.
    bm_parallel_for(0, picture.height, 1, compute_rows, &picture);
    if (problem)
        write_ppm(&picture);
    else
        show(&picture, &screen);
    printf("mandelbrot: %zux%zu, cores: %u, checksum: %016" PRIx64 "\n", picture.width, picture.height,
           bm_core_count(), checksum(&picture));
    free(picture.pixels);
    return EXIT_SUCCESS;
}
