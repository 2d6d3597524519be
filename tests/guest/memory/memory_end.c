// malloc returns NULL with ENOMEM when memory ends; what is given back can be had again; printf still works.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @memory 32
// @timeout 60
// @run small blocks
// @append -- 4096
// @run large blocks
// @append -- 1048576

#include <stdint.h>

#include "check.h"

struct block {
    struct block *next;
};

// Called through pointers: clang takes for granted that malloc leaves errno alone and that what is unused
// succeeds.
static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile allocate_zeroed)(size_t, size_t) = calloc;

// Takes blocks until malloc refuses; returns how many, linked through their first words.
static size_t take_all(struct block **list, size_t size)
{
    size_t count = 0;
    for (;;) {
        errno = 0;
        struct block *block = allocate(size);
        if (block == NULL) {
            CHECK(errno == ENOMEM);
            return count;
        }
        memset(block, 0xa5, size);
        block->next = *list;
        *list = block;
        count++;
    }
}

static void give_all(struct block **list)
{
    while (*list != NULL) {
        struct block *block = *list;
        *list = block->next;
        free(block);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    size_t size = strtoul(argv[1], NULL, 10);
    struct block *list = NULL;
    size_t first = take_all(&list, size);
    printf("%zu blocks of %zu bytes\n", first, size);
    CHECK(first * size > 16u << 20);
    CHECK(first * size < 32u << 20);
    give_all(&list);
    size_t second = take_all(&list, size);
    printf("%zu blocks the second time\n", second);
    CHECK(second >= first - first / 8);
    give_all(&list);
    volatile size_t huge = SIZE_MAX / 4;
    errno = 0;
    CHECK(allocate(huge) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(allocate_zeroed(huge, 8) == NULL);
    char *grown = malloc(100);
    CHECK(grown != NULL);
    strcpy(grown, "kept");
    grown = realloc(grown, 1 << 20);
    CHECK(grown != NULL);
    CHECK(strcmp(grown, "kept") == 0);
    free(grown);
    return passed();
}
