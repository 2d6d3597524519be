// The network stack's memory, over invented frames.
// SPDX-License-Identifier: MIT
#include "../../net/lwip/memory.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t frames_free;
static unsigned blocks;

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.total = 1 << 20, .free = frames_free};
}

void *bm_frame_allocate(unsigned order)
{
    size_t size = (size_t)4096 << order;
    if (size > frames_free)
        return NULL;
    frames_free -= size;
    blocks++;
    return aligned_alloc(size, size);
}

void bm_frame_free(void *block, unsigned order)
{
    frames_free += (size_t)4096 << order;
    blocks--;
    free(block);
}

void bm_panic(const char *format, ...)
{
    (void)format;
    bm_spinlock_release(&memory_lock);
    mock_assert(false, "bm_panic", __FILE__, __LINE__);
    abort();
}

static int set_up(void **state)
{
    (void)state;
    frames_free = 1 << 20;
    return 0;
}

static void every_size(void **state)
{
    (void)state;
    for (size_t size = 1; size < 20000; size += size < SMALL_MAX ? 1 : 97) {
        unsigned char *one = bm_net_allocate(size), *other = bm_net_allocate(size);
        assert_non_null(one);
        assert_non_null(other);
        assert_true(size > SMALL_MAX || bm_net_memory_size(one) >= size);
        assert_int_equal((uintptr_t)one % 16, 0);
        memset(one, 0xaa, size);
        memset(other, 0x55, size);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(one[i], 0xaa);
        bm_net_free(one);
        bm_net_free(other);
    }
    bm_net_free(NULL);
}

enum { OBJECTS = 700, SIZES = 5 };

// Many live at once, each filled with a pattern of its own that must survive the others' coming and going.
static void no_overlap(void **state)
{
    (void)state;
    static const size_t sizes[SIZES] = {24, 100, 350, 1600, 5000};
    static unsigned char *objects[OBJECTS];
    unsigned random = 12345;
    memset(objects, 0, sizeof objects);
    for (unsigned step = 0; step < 20000; step++) {
        random = random * 1103515245 + 12345;
        unsigned i = random / 65536 % OBJECTS;
        size_t size = sizes[i % SIZES];
        if (!objects[i]) {
            objects[i] = bm_net_allocate(size);
            if (objects[i])
                memset(objects[i], (int)i, size);
            continue;
        }
        for (size_t k = 0; k < size; k++)
            assert_int_equal(objects[i][k], (unsigned char)i);
        bm_net_free(objects[i]);
        objects[i] = NULL;
    }
    for (unsigned i = 0; i < OBJECTS; i++)
        bm_net_free(objects[i]);
    assert_true(blocks <= 20); // at most one slab of each size is kept
}

// The last 1/32 stays the program's, and what is given back can be taken again.
static void ends(void **state)
{
    (void)state;
    static void *objects[4096];
    for (unsigned round = 0; round < 3; round++) {
        unsigned count = 0;
        while (count < 4096 && (objects[count] = bm_net_allocate(1000)))
            count++;
        assert_true(count > 500 && count < 1024);
        assert_true(frames_free >= (1 << 20) / 32);
        assert_null(bm_net_allocate(6000));
        while (count)
            bm_net_free(objects[--count]);
    }
}

static void zeroed(void **state)
{
    (void)state;
    unsigned char *dirty = bm_net_allocate(300);
    memset(dirty, 0xff, 300);
    bm_net_free(dirty);
    unsigned char *clean = bm_net_allocate_zeroed(3, 100);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(clean[i], 0);
    bm_net_free(clean);
    assert_null(bm_net_allocate_zeroed(SIZE_MAX / 2, 3));
    assert_null(bm_net_allocate(SIZE_MAX));
    assert_null(bm_net_allocate(SIZE_MAX - 64));
}

// What is freed twice ends the machine, before anything is changed; a mark that was left in a live object
// does not.
static void freed_twice(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 32, 33, 350, 1616, 4000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *volatile one = bm_net_allocate(sizes[i]), *volatile other = bm_net_allocate(sizes[i]);
        bm_net_free(one);
        expect_assert_failure(bm_net_free(one));
        bm_net_free(other);
        expect_assert_failure(bm_net_free(one)); // the slab is kept
        one = bm_net_allocate(sizes[i]);
        other = bm_net_allocate(sizes[i]);
        assert_true(one != other);
        struct object *live = (struct object *)one;
        live->mark = slab_of(one);
        bm_net_free(one);
        expect_assert_failure(bm_net_free(one));
        bm_net_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_size, set_up), cmocka_unit_test_setup(no_overlap, set_up),
        cmocka_unit_test_setup(ends, set_up), cmocka_unit_test_setup(zeroed, set_up),
        cmocka_unit_test_setup(freed_twice, set_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
