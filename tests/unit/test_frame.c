// Frames that come back twice are noticed, whatever became of them meanwhile; others never are.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/memory/frame.c
#include "../../libbaremetal/memory/frame.h"
#include "../../libbaremetal/memory/paging.h"

#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SPACE = 8 << 20 };

struct bm_paging_layout bm_paging_layout;
static jmp_buf panicked;

// With the lock held, as bm_panic never returns: the last thing that a test does.
void bm_panic(const char *format, ...)
{
    (void)format;
    longjmp(panicked, 1);
}

static char *space;

static bool is_noticed(void *block, unsigned order)
{
    if (setjmp(panicked))
        return true;
    bm_frame_free(block, order);
    return false;
}

static int set_up(void **state)
{
    (void)state;
    space = aligned_alloc(SPACE, SPACE);
    memset(space, 0, SPACE);
    bm_paging_layout.direct = (uint64_t)(uintptr_t)space - 16 * BM_PAGE_SIZE;
    bm_frame_add(16 * BM_PAGE_SIZE, SPACE);
    return space == NULL;
}

// Blocks come and go in all sizes, also in other pieces than they were taken in; marks of earlier lives stay
// in them.
static void good_frees_are_not_noticed(void **state)
{
    (void)state;
    static char *blocks[200];
    uint64_t at_first = bm_frame_free_bytes();
    unsigned random = 1;
    for (unsigned step = 0; step < 100000; step++) {
        random = random * 1103515245 + 12345;
        unsigned i = random / 65536 % 200, order = i % 4;
        if (blocks[i] && order == 3) {
            for (unsigned part = 0; part < 8; part++)
                assert_false(is_noticed(blocks[i] + part * BM_PAGE_SIZE, 0));
            blocks[i] = NULL;
        } else if (blocks[i]) {
            assert_false(is_noticed(blocks[i], order));
            blocks[i] = NULL;
        } else {
            blocks[i] = bm_frame_allocate(order);
        }
    }
    for (unsigned i = 0; i < 200; i++)
        if (blocks[i])
            bm_frame_free(blocks[i], i % 4);
    assert_int_equal(bm_frame_free_bytes(), at_first);
}

static char *kept[64];

static void a_second_free_is_noticed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++)
        kept[i] = bm_frame_allocate(0);
    // The neighbours come back later, so the frame is joined into larger and larger blocks.
    for (unsigned i = 0; i < 64; i++)
        bm_frame_free(kept[i], 0);
    assert_true(is_noticed(kept[5], 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_frees_are_not_noticed),
        cmocka_unit_test(a_second_free_is_noticed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
