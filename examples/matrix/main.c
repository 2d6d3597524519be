// Multiplies two matrices of floats on all cores (C = A * B, blocked), with SSE or AVX2, and prints GFLOP/s.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -kernel matrix -append "-- size=1024" -cpu max -smp 4 …
//
// The elements are small whole numbers, and so are all sums: a float holds them exactly, in whatever order
// they are added. So the result must be right to the last bit.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <baremetal/work.h>

enum {
    SIZE_DEFAULT = 512,
    SIZE_LIMIT = 8192,
    ELEMENT_MAX = 8,
    LANES = 8,   // floats in a vector: one register of AVX, two of SSE
    TILE = 64,   // rows and columns of a piece of work, a square of C
    DEPTH = 256, // rows of B at a time: DEPTH * LANES floats stay in the first-level cache
    SAMPLES = 2000,
    RUNS = 3
};
_Static_assert(SIZE_LIMIT *ELEMENT_MAX *ELEMENT_MAX < 1 << 24, "up to 2^24 floats hold every whole number");

// A vector type of gcc and clang: operators work on all lanes, by whatever instructions the function may use.
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

// Every matrix has `stride` rows and columns, a multiple of TILE; those from `size` on are 0.
struct product {
    size_t size, stride;
    float *a;  // row by row
    vector *b; // in panels of LANES columns, each row by row, as it is read
    float *c;  // row by row
};

// Adds DEPTH products at most to `rows` rows of C in one panel. It is inlined with `rows` a constant, so the
// sums are registers.
static inline __attribute__((always_inline)) void
multiply_rows(const struct product *p, size_t rows, size_t row, size_t panel, size_t begin, size_t end)
{
    const float *a = p->a + row * p->stride;
    const vector *b = p->b + panel * p->stride;
    float *c = p->c + row * p->stride + panel * LANES;
    vector sums[8];
    for (size_t i = 0; i < rows; i++)
        sums[i] = *(vector *)(c + i * p->stride);
    for (size_t k = begin; k < end; k++)
        for (size_t i = 0; i < rows; i++)
            sums[i] += a[i * p->stride + k] * b[k];
    for (size_t i = 0; i < rows; i++)
        *(vector *)(c + i * p->stride) = sums[i];
}

static inline __attribute__((always_inline)) void multiply_tile(const struct product *p, size_t rows,
                                                                size_t tile)
{
    const size_t tiles_a_row = p->stride / TILE;
    const size_t row = tile / tiles_a_row * TILE, panel = tile % tiles_a_row * (TILE / LANES);
    for (size_t begin = 0; begin < p->size; begin += DEPTH) {
        const size_t end = p->size - begin > DEPTH ? begin + DEPTH : p->size;
        for (size_t j = 0; j < TILE / LANES; j++)
            for (size_t i = 0; i < TILE; i += rows)
                multiply_rows(p, rows, row + i, panel + j, begin, end);
    }
}

// The same for two kinds of CPU: as many rows as there are registers for.
static void multiply_sse(size_t begin, size_t end, void *arg)
{
    for (size_t tile = begin; tile < end; tile++)
        multiply_tile(arg, 4, tile);
}

__attribute__((target("avx2,fma"))) static void multiply_avx2(size_t begin, size_t end, void *arg)
{
    for (size_t tile = begin; tile < end; tile++)
        multiply_tile(arg, 8, tile);
}

// A whole number from -ELEMENT_MAX to ELEMENT_MAX for each place of a matrix.
static int element(uint32_t matrix, size_t row, size_t column)
{
    uint32_t x = (uint32_t)row * 0x9e3779b1u + (uint32_t)column * 0x85ebca77u + matrix;
    x = (x ^ x >> 15) * 0x2c1b3c6du;
    x = (x ^ x >> 12) * 0x297a2d39u;
    return (int)((x ^ x >> 15) % (2 * ELEMENT_MAX + 1)) - ELEMENT_MAX;
}

static void fill_rows(size_t begin, size_t end, void *arg)
{
    struct product *p = arg;
    for (size_t row = begin; row < end; row++) {
        for (size_t column = 0; column < p->size; column++) {
            p->a[row * p->stride + column] = (float)element(1, row, column);
            p->b[column / LANES * p->stride + row][column % LANES] = (float)element(2, row, column);
        }
    }
}

static void clear_rows(size_t begin, size_t end, void *arg)
{
    const struct product *p = arg;
    for (size_t i = begin * p->stride; i < end * p->stride; i++)
        p->c[i] = 0;
}

// Compares elements of C, from all over it, with the sum of products that each should be.
static bool check(const struct product *p)
{
    for (uint32_t i = 0; i < SAMPLES; i++) {
        const size_t row = i * UINT64_C(0x9e3779b97f4a7c15) % p->size;
        const size_t column = i * UINT64_C(0xd1b54a32d192ed03) % p->size;
        long expected = 0;
        for (size_t k = 0; k < p->size; k++)
            expected += element(1, row, k) * element(2, k, column);
        const float found = p->c[row * p->stride + column];
        if (found != (float)expected) {
            fprintf(stderr, "matrix: C[%zu][%zu] is %.1f, but should be %ld\n", row, column, (double)found,
                    expected);
            return false;
        }
    }
    return true;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool make_matrices(struct product *p)
{
    p->stride = (p->size + TILE - 1) / TILE * TILE;
    const size_t bytes = p->stride * p->stride * sizeof(float);
    p->a = aligned_alloc(64, bytes);
    p->b = aligned_alloc(64, bytes);
    p->c = aligned_alloc(64, bytes);
    if (p->a == NULL || p->b == NULL || p->c == NULL)
        return false;
    memset(p->a, 0, bytes);
    memset(p->b, 0, bytes);
    bm_parallel_for(0, p->size, 0, fill_rows, p);
    return true;
}

static bool parse(int argc, char **argv, size_t *size)
{
    for (int i = 1; i < argc; i++) {
        unsigned number = 0;
        char rest;
        // At most five digits: the number cannot overflow.
        if (sscanf(argv[i], "size=%5u%c", &number, &rest) != 1 || number < 1 || number > SIZE_LIMIT) {
            fprintf(stderr, "matrix: '%s' is not known; known: size=n, 1 to %d\n", argv[i], SIZE_LIMIT);
            return false;
        }
        *size = number;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct product product = {.size = SIZE_DEFAULT};
    if (!parse(argc, argv, &product.size))
        return EXIT_FAILURE;
    if (!make_matrices(&product)) {
        fprintf(stderr, "matrix: no memory for three matrices of %zux%zu; start the machine with more\n",
                product.size, product.size);
        return EXIT_FAILURE;
    }
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const size_t tiles = (product.stride / TILE) * (product.stride / TILE);
    double best = 1e9;
    for (int i = 0; i < RUNS; i++) {
        bm_parallel_for(0, product.stride, 0, clear_rows, &product);
        const double begin = seconds();
        bm_parallel_for(0, tiles, 1, avx2 ? multiply_avx2 : multiply_sse, &product);
        const double time = seconds() - begin;
        best = time < best ? time : best;
    }
    if (!check(&product))
        return EXIT_FAILURE;
    const double n = (double)product.size;
    printf("matrix: %zux%zu, cores: %u, %s: %.3f s, %.3f GFLOP/s (best of %d)\n", product.size, product.size,
           bm_core_count(), avx2 ? "AVX2" : "SSE", best, 2 * n * n * n / best * 1e-9, RUNS);
    printf("matrix: %d elements are right\n", SAMPLES);
    return EXIT_SUCCESS;
}
