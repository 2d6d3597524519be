// Permanent memory: pieces share pages, are aligned, disjoint and zero; orders of blocks.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/memory/permanent.c
#include <baremetal/memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned pages_left, blocks_taken;

void *bm_frame_allocate(unsigned order)
{
    if (order > BM_FRAME_ORDER_MAX || pages_left < 1u << order)
        return NULL;
    pages_left -= 1u << order;
    blocks_taken++;
    // Never freed; the pieces are the kernel's for ever. Something has been there before.
    void *block = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
    return memset(block, 0xee, BM_PAGE_SIZE << order);
}

static void *kept[512]; // so that the leak sanitizer finds them all
static unsigned kept_count;

static unsigned char *take(size_t size, size_t alignment)
{
    unsigned char *memory = bm_memory_permanent(size, alignment);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % alignment, 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(memory[i], 0);
    memset(memory, 0xaa, size); // the next one must not see it
    kept[kept_count++] = memory;
    return memory;
}

static void orders_are_the_smallest(void **state)
{
    (void)state;
    assert_int_equal(bm_frame_order(0), 0);
    assert_int_equal(bm_frame_order(1), 0);
    for (unsigned order = 0; order <= BM_FRAME_ORDER_MAX + 2; order++) {
        size_t bytes = BM_PAGE_SIZE << order;
        assert_int_equal(bm_frame_order(bytes), order);
        assert_int_equal(bm_frame_order(bytes + 1), order + 1);
    }
    assert_true(bm_frame_order(SIZE_MAX) > BM_FRAME_ORDER_MAX);
}

static void small_pieces_share_a_page(void **state)
{
    (void)state;
    pages_left = 16;
    blocks_taken = 0;
    unsigned char *first = take(80, 8);
    for (unsigned i = 1; i < BM_PAGE_SIZE / 80; i++)
        assert_ptr_equal(take(80, 8), first + 80 * i);
    assert_int_equal(blocks_taken, 1);
    take(80, 8);
    assert_int_equal(blocks_taken, 2);
}

static void pieces_are_aligned(void **state)
{
    (void)state;
    pages_left = 64;
    for (size_t alignment = 1; alignment <= 2 * BM_PAGE_SIZE; alignment *= 2) {
        take(3, alignment);
        take(1, 1);
    }
}

// A large piece has a block of its own; what was left for small ones is not lost.
static void large_pieces_leave_the_rest(void **state)
{
    (void)state;
    pages_left = 256;
    blocks_taken = 0;
    while (!blocks_taken) // what was left
        take(256, 1);
    unsigned char *before = take(16, 16);
    assert_int_equal(blocks_taken, 1);
    take(4 * BM_PAGE_SIZE, BM_PAGE_SIZE);
    assert_int_equal(blocks_taken, 2);
    assert_ptr_equal(take(16, 16), before + 16);
    take(4 * BM_PAGE_SIZE + 8, 8); // of eight pages: more is left there
    take(3 * BM_PAGE_SIZE, 8);
    assert_int_equal(blocks_taken, 3);
}

static void short_memory_gives_none(void **state)
{
    (void)state;
    pages_left = 0;
    assert_null(bm_memory_permanent(64 * BM_PAGE_SIZE, 8));
    assert_null(bm_memory_permanent(SIZE_MAX, 8));
    pages_left = 64;
    assert_null(bm_memory_permanent((size_t)1 << 40, 8));
    take(64 * BM_PAGE_SIZE, 8); // nothing was spoilt
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_the_smallest), cmocka_unit_test(small_pieces_share_a_page),
        cmocka_unit_test(pieces_are_aligned),      cmocka_unit_test(large_pieces_leave_the_rest),
        cmocka_unit_test(short_memory_gives_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
