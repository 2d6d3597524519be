// The work-stealing deque: one owner, several thieves, every item taken once.
// SPDX-License-Identifier: MIT
// @sanitize undefined
//
// Without ThreadSanitizer: its slow atomic operations would hide a missing fence.
#include "../../libbaremetal/work/deque.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ITEMS = 200000, THIEVES = 2 };

static struct bm_deque deque;
static atomic_uchar taken[ITEMS + 1];
static atomic_bool finished;

// Items are numbers here; 0 is none.
static struct bm_work *item(uintptr_t number)
{
    return (struct bm_work *)number;
}

// Notes that an item was taken. Returns its number.
static uintptr_t note(struct bm_work *work)
{
    uintptr_t number = (uintptr_t)work;
    if (number)
        atomic_fetch_add_explicit(&taken[number], 1, memory_order_relaxed);
    return number;
}

static void *thief_main(void *arg)
{
    (void)arg;
    while (!atomic_load_explicit(&finished, memory_order_relaxed))
        note(bm_deque_steal(&deque));
    return NULL;
}

static void order_and_fullness(void **state)
{
    (void)state;
    assert_null(bm_deque_take(&deque));
    assert_null(bm_deque_steal(&deque));
    for (unsigned round = 0; round < 3; round++) { // the indices go round
        for (uintptr_t i = 1; i <= BM_DEQUE_SIZE; i++)
            assert_true(bm_deque_push(&deque, item(i)));
        assert_false(bm_deque_push(&deque, item(1)));
        assert_true(bm_deque_filled(&deque));
        assert_ptr_equal(bm_deque_steal(&deque), item(1)); // the oldest
        assert_ptr_equal(bm_deque_take(&deque), item(BM_DEQUE_SIZE));
        for (uintptr_t i = 2; i < BM_DEQUE_SIZE; i++)
            assert_ptr_equal(bm_deque_steal(&deque), item(i));
        assert_null(bm_deque_take(&deque));
        assert_false(bm_deque_filled(&deque));
    }
}

// Gives thieves time to meet the owner at the same item.
static void dawdle(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        __asm__ volatile("");
}

// Short runs of items, so that owner and thieves often meet at the last one. Returns how many were stolen.
static unsigned run_items(void)
{
    unsigned kept = 0, random = 1;
    for (uintptr_t next = 1; next <= ITEMS;) {
        random = random * 1664525 + 1013904223;
        for (unsigned run = 1 + (random >> 30); run && next <= ITEMS; run--)
            if (bm_deque_push(&deque, item(next)))
                next++;
        dawdle(random >> 16 & 63);
        while (note(bm_deque_take(&deque)))
            kept++;
    }
    return ITEMS - kept;
}

static void taken_once(void **state)
{
    enum { STOLEN_MIN = 100000, ROUNDS_MAX = 100 };
    (void)state;
    alarm(100); // a hang ends the program
    unsigned stolen = 0;
    for (unsigned round = 0; round < ROUNDS_MAX && stolen < STOLEN_MIN; round++) {
        pthread_t thieves[THIEVES];
        atomic_store(&finished, false);
        for (unsigned i = 0; i < THIEVES; i++)
            assert_int_equal(pthread_create(&thieves[i], NULL, thief_main, NULL), 0);
        stolen += run_items();
        while (bm_deque_filled(&deque))
            ;
        atomic_store(&finished, true);
        for (unsigned i = 0; i < THIEVES; i++)
            pthread_join(thieves[i], NULL);
        for (unsigned i = 1; i <= ITEMS; i++)
            if (atomic_exchange(&taken[i], 0) != 1)
                fail_msg("item %u was not taken once", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_fullness),
        cmocka_unit_test(taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
