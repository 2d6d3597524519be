// Caches of frames with threads as cores, under ThreadSanitizer.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/memory/frame.c libbaremetal/base/stack.c
// @includes libbaremetal
// @sanitize thread
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// What the linker does in an image.
#define __real_bm_frame_allocate_below bm_frame_allocate_below
#define __real_bm_frame_free           bm_frame_free
#define __real_bm_frame_free_bytes     bm_frame_free_bytes
#include "../../libbaremetal/memory/cache/frame_cache.c"
#include "../../libbaremetal/memory/paging.h"

#include <baremetal/panic.h>

enum { SPACE = 16 << 20, THREADS = 4, ROUNDS = 20000, SLOTS = 100, SHARED = 64 };

struct bm_paging_layout bm_paging_layout;
static _Thread_local unsigned core;

void bm_panic(const char *format, ...)
{
    (void)format;
    abort();
}

unsigned bm_core_id(void)
{
    return core;
}

// Every frame in use is marked by whoever has it.
struct frame {
    uint64_t mark, last[511];
};

static struct frame *take(uint64_t mark)
{
    struct frame *frame = __wrap_bm_frame_allocate(0);
    if (!frame)
        return NULL;
    frame->mark = frame->last[510] = mark;
    return frame;
}

static void give(struct frame *frame)
{
    if (!frame)
        return;
    assert_true(frame->mark == frame->last[510]);
    frame->mark = 0;
    __wrap_bm_frame_free(frame, 0);
}

static struct frame *_Atomic shared[SHARED];

static void *torture(void *arg)
{
    core = (unsigned)(uintptr_t)arg;
    struct frame *slots[SLOTS] = {NULL};
    uint64_t state = core + 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        struct frame **slot = &slots[(state >> 40) % SLOTS];
        if (state >> 63) {
            *slot = atomic_exchange(&shared[(state >> 48) % SHARED], *slot);
        } else {
            give(*slot);
            *slot = state >> 62 & 1 ? take(state | 1) : NULL;
        }
        if (i % 2000 == 1999)
            assert_null(__wrap_bm_frame_allocate(BM_FRAME_ORDER_MAX)); // empties the caches of all
    }
    for (unsigned i = 0; i < SLOTS; i++)
        give(slots[i]);
    return NULL;
}

static uint64_t free_at_first;

static void several_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, torture, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < SHARED; i++)
        give(atomic_exchange(&shared[i], NULL));
    assert_int_equal(__wrap_bm_frame_free_bytes(), free_at_first);
    // Some are in caches, but not too many.
    assert_true(bm_frame_free_bytes() < free_at_first);
    assert_true(bm_frame_free_bytes() >= free_at_first - (THREADS + 1) * KEPT * BM_PAGE_SIZE);
}

// Single frames to the last one, those in the caches of others, too; then a large block again.
static void memory_ends(void **state)
{
    (void)state;
    struct frame *list = NULL, *frame;
    uint64_t count = 0;
    core = 7;
    while ((frame = __wrap_bm_frame_allocate(0)) != NULL) {
        frame->last[0] = (uint64_t)(uintptr_t)list;
        list = frame;
        count++;
    }
    assert_int_equal(count, free_at_first / BM_PAGE_SIZE);
    assert_null(__wrap_bm_frame_allocate(3));
    assert_int_equal(__wrap_bm_frame_free_bytes(), 0);
    while (list) {
        frame = list;
        list = (struct frame *)(uintptr_t)frame->last[0];
        core = (core + 1) % THREADS;
        __wrap_bm_frame_free(frame, 0);
    }
    assert_int_equal(__wrap_bm_frame_free_bytes(), free_at_first);
    assert_true(bm_frame_free_bytes() >= free_at_first - (THREADS + 1) * KEPT * BM_PAGE_SIZE);
    void *large = __wrap_bm_frame_allocate(11); // 8 MiB: in one piece only when the caches are empty
    assert_non_null(large);
    __wrap_bm_frame_free(large, 11);
    assert_null(__wrap_bm_frame_allocate(BM_FRAME_ORDER_MAX + 1));
    assert_null(__wrap_bm_frame_allocate_below(0, 20));
    __wrap_bm_frame_free(NULL, 0);
    assert_int_equal(__wrap_bm_frame_free_bytes(), free_at_first);
}

int main(void)
{
    char *space = aligned_alloc(SPACE, SPACE);
    memset(space, 0, SPACE);
    // The frames' numbers are aligned as their addresses are.
    bm_paging_layout.direct = (uint64_t)(uintptr_t)space - SPACE;
    bm_frame_add(SPACE, SPACE);
    free_at_first = bm_frame_free_bytes();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_threads),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
