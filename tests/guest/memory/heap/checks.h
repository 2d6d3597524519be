// What every heap must pass, the C library's own included: each heap_*.c makes one program of it.
// SPDX-License-Identifier: MIT
//
// WASTE is how many times the bytes in use a heap may take in check_waste(), after much allocating and giving
// back; 0 leaves it out, for a heap that does not promise it.
#pragma once

#include <baremetal/memory.h>
#include <baremetal/work.h>
#include <malloc.h>
#include <stdint.h>

#include "check.h"

enum { SLOTS = 64, SHARED = 128, OPERATIONS = 120000, CHURN = 8000, SIZES = 13 };

// Called through pointers, so that the compiler takes nothing about them for granted.
static void *(*volatile take)(size_t) = malloc;
static void *(*volatile take_zeroed)(size_t, size_t) = calloc;
static void *(*volatile move)(void *, size_t) = realloc;
static void *(*volatile move_array)(void *, size_t, size_t) = reallocarray;
static void *(*volatile take_aligned)(size_t, size_t) = memalign;
static int (*volatile take_posix)(void **, size_t, size_t) = posix_memalign;
static void (*volatile give)(void *) = free;

static const size_t sizes[SIZES] = {0, 1, 8, 9, 24, 100, 129, 1000, 1017, 4096, 40000, 300000, 2500000};

static bool all_bytes(const unsigned char *bytes, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static void check_sizes(void)
{
    unsigned char *blocks[SIZES];
    for (unsigned i = 0; i < SIZES; i++) {
        blocks[i] = take(sizes[i]);
        CHECK(blocks[i] != NULL || sizes[i] == 0);
        if (blocks[i] == NULL)
            continue;
        CHECK((uintptr_t)blocks[i] % 16 == 0);
        CHECK(malloc_usable_size(blocks[i]) >= sizes[i]);
        memset(blocks[i], (int)(i + 1), malloc_usable_size(blocks[i]));
    }
    for (unsigned i = 0; i < SIZES; i++) {
        CHECK(all_bytes(blocks[i], sizes[i], (unsigned char)(i + 1)));
        give(blocks[i]);
    }
    give(NULL);
#ifndef HEAP_OF_LIBC // picolibc's reads what stands before it
    CHECK(malloc_usable_size(NULL) == 0);
#endif
}

static void check_aligned(void)
{
    for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
        unsigned char *blocks[3];
        for (unsigned i = 0; i < 3; i++) {
            size_t size = alignment / 2 * (i + 1) + i;
            void *block = NULL;
            CHECK(take_posix(&block, alignment, size) == 0);
            blocks[i] = block;
            CHECK((uintptr_t)block % alignment == 0);
            CHECK(malloc_usable_size(block) >= size);
            memset(block, (int)i, size);
        }
        for (unsigned i = 0; i < 3; i++)
            CHECK(all_bytes(blocks[i], alignment / 2 * (i + 1) + i, (unsigned char)i));
        give(blocks[1]);
        blocks[1] = take_aligned(alignment, 3);
        CHECK(blocks[1] != NULL && (uintptr_t)blocks[1] % alignment == 0);
        for (unsigned i = 0; i < 3; i++)
            give(blocks[i]);
    }
    void *block = &block;
    CHECK(take_posix(&block, 24, 100) == EINVAL);
    CHECK(take_posix(&block, 4, 100) == EINVAL);
    CHECK(take_posix(&block, 64, PTRDIFF_MAX) == ENOMEM);
    CHECK(block == &block);
}

// Memory that was used before comes back as zeros.
static void check_zeroed(void)
{
    for (unsigned i = 1; i < SIZES; i++) {
        void *dirty = take(sizes[i]);
        CHECK(dirty != NULL);
        memset(dirty, 0xff, sizes[i]);
        give(dirty);
        unsigned char *block = take_zeroed((sizes[i] + 2) / 3, 3);
        CHECK(block != NULL);
        CHECK(all_bytes(block, sizes[i], 0));
        memset(block, 0xff, sizes[i]);
        give(block);
    }
}

static void check_moved(void)
{
    for (unsigned i = 1; i < SIZES; i++) {
        for (unsigned j = 1; j < SIZES; j++) {
            unsigned char *block = take(sizes[i]);
            CHECK(block != NULL);
            memset(block, (int)i, sizes[i]);
            block = move(block, sizes[j]);
            CHECK(block != NULL);
            CHECK(all_bytes(block, sizes[i] < sizes[j] ? sizes[i] : sizes[j], (unsigned char)i));
            memset(block, 0xaa, sizes[j]);
            give(block);
        }
    }
    char *text = move(NULL, 10);
    CHECK(text != NULL);
    strcpy(text, "kept");
    errno = 0;
    CHECK(move(text, PTRDIFF_MAX) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(strcmp(text, "kept") == 0);
    errno = 0;
    CHECK(move_array(text, SIZE_MAX / 2, 3) == NULL);
    CHECK(errno == ENOMEM);
    text = move_array(text, 100, 3);
    CHECK(text != NULL && strcmp(text, "kept") == 0);
    give(text);
}

static void check_refused(void)
{
    static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, 1ull << 47, 1ull << 40};
    for (unsigned i = 0; i < sizeof huge / sizeof huge[0]; i++) {
        errno = 0;
        CHECK(take(huge[i]) == NULL);
        CHECK(errno == ENOMEM);
        CHECK(take_aligned(4096, huge[i]) == NULL);
    }
    errno = 0;
    CHECK(take_zeroed(SIZE_MAX / 4, 8) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(take_zeroed(1ull << 33, 1ull << 33) == NULL);
}

// Blocks of the tests below say how large they are and what they are filled with.
struct marked {
    struct marked *next;
    uint32_t size, seed;
    unsigned char bytes[];
};

static unsigned char mark(const struct marked *block, size_t i)
{
    return (unsigned char)(block->seed * 31 + i * 7 + (i >> 8));
}

static struct marked *take_marked(uint32_t size, uint32_t seed)
{
    struct marked *block = take(sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct marked){.size = size, .seed = seed};
    for (size_t i = 0; i < size; i++)
        block->bytes[i] = mark(block, i);
    return block;
}

static void give_marked(struct marked *block)
{
    if (block == NULL)
        return;
    for (size_t i = 0; i < block->size; i++)
        CHECK(block->bytes[i] == mark(block, i));
    give(block);
}

// Takes all memory in blocks of one size; returns how many bytes that were.
static size_t exhaust(struct marked **list, uint32_t size)
{
    size_t count = 0;
    struct marked *block;
    errno = 0;
    while ((block = take_marked(size, (uint32_t)count)) != NULL) {
        block->next = *list;
        *list = block;
        count++;
        errno = 0;
    }
    CHECK(errno == ENOMEM);
    return count * size;
}

static void give_all(struct marked **list)
{
    while (*list != NULL) {
        struct marked *block = *list;
        *list = block->next;
        give_marked(block);
    }
}

// All memory taken, given back and taken again, in blocks of other sizes, too.
static void check_exhaustion(void)
{
    static const uint32_t each[] = {3000, 100, 3000, 100000, 40};
    size_t least = SIZE_MAX, most = 0;
    for (unsigned i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct marked *list = NULL;
        size_t bytes = exhaust(&list, each[i]);
        printf("%zu bytes in blocks of %u\n", bytes, (unsigned)each[i]);
        give_all(&list);
        least = bytes < least ? bytes : least;
        most = bytes > most ? bytes : most;
    }
    CHECK(least > most / 3); // the smallest blocks carry 16 bytes of the test's own and a word of the heap's
    CHECK(most > 16 << 20);
    // What came back in small pieces makes a large one.
    void *half = take(most / 2);
    CHECK(half != NULL);
    memset(half, 1, most / 2);
    give(half);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

// Mostly small, some large.
static uint32_t random_size(uint64_t *state)
{
    uint32_t dice = next_random(state);
    return next_random(state) % (dice % 64 == 0 ? 40000 : dice % 8 == 0 ? 3000 : 200);
}

// Blocks on their way from core to core.
static struct marked *_Atomic shared[SHARED];
static atomic_uint errors, ran;

// One core's part: blocks come and go in its own slots and in those that all cores share, so that many are
// given back on another core than they were taken on.
static void torture(void *arg)
{
    uint64_t state = (uintptr_t)arg * 77 + 5;
    unsigned operations = OPERATIONS / bm_core_count();
    struct marked *slots[SLOTS] = {NULL};
    for (unsigned i = 0; i < operations; i++) {
        uint32_t dice = next_random(&state), slot = dice / 16 % SLOTS;
        struct marked *block = slots[slot];
        if (dice % 4 == 0) {
            slots[slot] = atomic_exchange(&shared[dice / 16 % SHARED], block);
        } else if (dice % 16 == 1 && block != NULL) {
            uint32_t size = random_size(&state), kept = size < block->size ? size : block->size;
            struct marked *moved = move(block, sizeof *block + size);
            if (moved == NULL)
                continue;
            moved->size = size;
            for (size_t j = kept; j < size; j++)
                moved->bytes[j] = mark(moved, j);
            slots[slot] = moved;
        } else {
            give_marked(block);
            slots[slot] = take_marked(random_size(&state), dice);
            if (slots[slot] == NULL)
                atomic_fetch_add(&errors, 1);
        }
    }
    for (unsigned i = 0; i < SLOTS; i++)
        give_marked(slots[i]);
    atomic_fetch_add(&ran, 1);
}

static void on_all_cores(void (*function)(void *))
{
    static struct bm_work work[255];
    for (unsigned core = 0; core < bm_core_count(); core++) {
        bm_work_init(&work[core], function, (void *)(uintptr_t)core);
        bm_work_submit_on(core, &work[core]);
    }
    for (unsigned core = 0; core < bm_core_count(); core++)
        bm_work_wait(&work[core]);
}

static void check_torture(void)
{
    on_all_cores(torture);
    CHECK(atomic_load(&ran) == bm_core_count());
    CHECK(atomic_load(&errors) == 0);
    for (unsigned i = 0; i < SHARED; i++)
        give_marked(atomic_exchange(&shared[i], NULL));
}

// Each core takes blocks; its neighbour gives them back. Nothing may be left over.
static struct marked *handed[255];

static void produce(void *arg)
{
    for (unsigned i = 0; i < CHURN / bm_core_count(); i++) {
        struct marked *block = take_marked(i % 300, i);
        CHECK(block != NULL);
        block->next = handed[(uintptr_t)arg];
        handed[(uintptr_t)arg] = block;
    }
}

static void consume(void *arg)
{
    give_all(&handed[((uintptr_t)arg + 1) % bm_core_count()]);
}

static uint64_t bytes_taken(void)
{
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    return memory.total - memory.free;
}

static void check_handing(void)
{
    uint64_t after_first = 0;
    for (unsigned round = 0; round < 20; round++) {
        on_all_cores(produce);
        on_all_cores(consume);
        if (round == 4)
            after_first = bytes_taken();
    }
    CHECK(bytes_taken() <= after_first + bm_core_count() * (64 << 10));
}

// Random sizes come and go for long, while the bytes in use stay about the same.
static void check_waste(void)
{
#if WASTE
    enum { COUNT = 8000, ROUNDS = 150000 };
    static struct marked *blocks[COUNT];
    uint64_t state = 9, in_use = 0, most = 0, before = bytes_taken();
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct marked **slot = &blocks[next_random(&state) % COUNT];
        if (*slot != NULL)
            in_use -= (*slot)->size + sizeof **slot;
        give_marked(*slot);
        *slot = take_marked(random_size(&state), i);
        CHECK(*slot != NULL);
        in_use += (*slot)->size + sizeof **slot;
        most = in_use > most ? in_use : most;
    }
    uint64_t took = bytes_taken() - before;
    printf("%lu KiB for at most %lu KiB in use\n", (unsigned long)took / 1024, (unsigned long)most / 1024);
    CHECK(took <= WASTE * most);
    for (unsigned i = 0; i < COUNT; i++)
        give_marked(blocks[i]);
#endif
}

// What a program must not do, where the heap notices.
static void misuse(const char *how)
{
    char *block = take(strcmp(how, "large") ? 100 : 100000);
    char *other = take(100);
    CHECK(block != NULL && other != NULL);
    if (strcmp(how, "inside") == 0)
        give(block + 16);
    else if (strcmp(how, "before") == 0)
        block[-3] ^= 1;
    else
        give(block);
    give(block);
    puts("not noticed");
}

int main(int argc, char **argv)
{
    printf("%u cores\n", bm_core_count());
    if (argc == 2) {
        misuse(argv[1]);
        return 1;
    }
    check_waste();
    check_sizes();
    check_aligned();
    check_zeroed();
    check_moved();
    check_refused();
    check_torture();
    check_handing();
    if (bm_core_count() == 1)
        check_exhaustion();
    check_sizes();
    return passed();
}
