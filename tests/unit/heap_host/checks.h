// Host tests of one heap of libbaremetal/heap: invariants by one thread, torture by several.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../libbaremetal/heap/block.h"
#include "../../../libbaremetal/heap/heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <baremetal/memory.h>

enum { SPACE = 24 << 20, THREADS = 4, SLOTS = 50, SHARED = 32, ROUNDS = 30000 };

// The kernel below: one range of addresses, and panics that a test can expect.
static _Alignas(4096) char space[SPACE];
static size_t used;
static jmp_buf panicked;
static char panic_text[200];

void *bm_heap_extend(ptrdiff_t increment)
{
    if (increment < 0 || (size_t)increment > SPACE - used)
        return NULL;
    used += (size_t)increment;
    return space + used - increment;
}

void bm_panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(panic_text, sizeof panic_text, format, arguments);
    va_end(arguments);
    longjmp(panicked, 1);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

static size_t random_size(uint64_t *state)
{
    uint32_t dice = next_random(state);
    return next_random(state) % (dice % 64 == 0 ? 50000 : dice % 8 == 0 ? 3000 : 200);
}

// A block that knows its size and is filled with one byte.
struct filled {
    size_t size;
    unsigned char bytes[];
};

static struct filled *take(uint64_t *state)
{
    size_t size = random_size(state), alignment = 1ull << next_random(state) % 14;
    struct filled *block = next_random(state) % 4 ? bm_heap_allocate(sizeof *block + size)
                                                  : bm_heap_allocate_aligned(alignment, sizeof *block + size);
    if (!block)
        return NULL;
    assert_true(bm_heap_size(block) >= sizeof *block + size);
    block->size = size;
    memset(block->bytes, (int)(size % 251), size);
    return block;
}

static void give(struct filled *block)
{
    if (!block)
        return;
    for (size_t i = 0; i < block->size; i++)
        if (block->bytes[i] != block->size % 251)
            fail_msg("a block of %zu bytes holds %u at %zu", block->size, block->bytes[i], i);
    bm_heap_free(block);
}

static struct filled *resize(struct filled *block, size_t size)
{
    if (!block || !bm_heap_resize(block, sizeof *block + size))
        return block;
    assert_true(bm_heap_size(block) >= sizeof *block + size);
    for (size_t i = 0; i < size && i < block->size; i++)
        assert_int_equal(block->bytes[i], block->size % 251);
    block->size = size;
    memset(block->bytes, (int)(size % 251), size);
    return block;
}

static struct filled *_Atomic shared[SHARED];

static void *torture(void *arg)
{
    uint64_t state = (uintptr_t)arg + 1;
    struct filled *slots[SLOTS] = {NULL};
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t dice = next_random(&state);
        struct filled **slot = &slots[dice / 16 % SLOTS];
        if (dice % 4 == 0) {
            *slot = atomic_exchange(&shared[dice / 16 % SHARED], *slot);
        } else if (dice % 16 == 1) {
            *slot = resize(*slot, random_size(&state));
        } else {
            give(*slot);
            *slot = take(&state);
            assert_non_null(*slot);
        }
    }
    for (unsigned i = 0; i < SLOTS; i++)
        give(slots[i]);
    return NULL;
}

static void give_shared(void)
{
    for (unsigned i = 0; i < SHARED; i++)
        give(atomic_exchange(&shared[i], NULL));
}

static void one_thread(void **state)
{
    (void)state;
    torture(NULL);
    give_shared();
}

static void several_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, torture, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    give_shared();
}

// Two threads take, two give back: blocks go round between the threads' own stores and the common one.
static void *produce(void *arg)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        size_t size = (uintptr_t)arg % 2 ? 1000 : 100;
        struct filled *block = bm_heap_allocate(sizeof *block + size), *none = NULL;
        assert_non_null(block);
        block->size = size;
        memset(block->bytes, (int)(size % 251), size);
        if (!atomic_compare_exchange_strong(&shared[i % SHARED], &none, block))
            give(block);
    }
    return NULL;
}

static void *consume(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < ROUNDS; i++)
        give(atomic_exchange(&shared[i % SHARED], NULL));
    return NULL;
}

static void handing_over(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < THREADS / 2 ? produce : consume, (void *)(i / 2)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    give_shared();
}

// All memory in blocks of 500 bytes, the youngest first or the oldest first.
static void **take_all(bool oldest_first, size_t *count)
{
    void **first = NULL, **last = NULL, **block;
    for (*count = 0; (block = bm_heap_allocate(500)) != NULL; ++*count) {
        *block = oldest_first ? NULL : first;
        if (oldest_first && last)
            *last = block;
        if (!oldest_first || !last)
            first = block;
        last = block;
    }
    return first;
}

// Memory ends, comes back in whatever order, makes large blocks again, and ends at the same place.
static void memory_ends(void **state)
{
    (void)state;
    size_t counts[4];
    for (unsigned round = 0; round < 4; round++) {
        void **list = take_all(round % 2, &counts[round]);
        assert_null(bm_heap_allocate(1 << 20));
        while (list) {
            void **next = *list;
            bm_heap_free(list);
            list = next;
        }
        void *large = bm_heap_allocate(SPACE / 2);
        assert_non_null(large);
        bm_heap_free(large);
    }
    assert_true(counts[0] * 500 > SPACE / 4 * 3);
    assert_true(counts[3] + 100 > counts[1]);
}

static void impossible_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX,   SIZE_MAX - 7,     SIZE_MAX / 2 + 1,
                                   1ull << 46, (1ull << 46) + 1, 1ull << 40};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_null(bm_heap_allocate(sizes[i]));
        assert_null(bm_heap_allocate_aligned(1 << 20, sizes[i]));
        assert_null(bm_heap_allocate_aligned(1ull << 62, 1));
        void *block = bm_heap_allocate(10);
        assert_false(bm_heap_resize(block, sizes[i]));
        bm_heap_free(block);
    }
}

static void expect_panic(void *block, const char *text)
{
    if (setjmp(panicked) == 0) {
        bm_heap_free(block);
        fail_msg("no panic: %s", text);
    }
    assert_non_null(strstr(panic_text, text));
}

static void misuse(void **state)
{
    (void)state;
    for (size_t size = 10; size < 200000; size *= 3) {
        char *block = bm_heap_allocate(size), *other = bm_heap_allocate(size);
        expect_panic(other + 16 > other + size ? other + 8 : other + 16, "no block of the heap");
        expect_panic(other + 1, "no block of the heap");
        bm_heap_free(block);
        expect_panic(block, "free already");
        other[-2] ^= 0x40;
        expect_panic(other, "overwritten");
        other[-2] ^= 0x40;
        bm_heap_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread),  cmocka_unit_test(several_threads),  cmocka_unit_test(handing_over),
        cmocka_unit_test(memory_ends), cmocka_unit_test(impossible_sizes), cmocka_unit_test(misuse),
        cmocka_unit_test(one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
