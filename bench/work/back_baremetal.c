// The work queue of libbaremetal.
// SPDX-License-Identifier: MIT
#include <baremetal/work.h>
#include <stdlib.h>

#include "back.h"

enum { ITEMS_MAX = 65536 };

const char back_name[] = "libbaremetal";

void back_enter(void (*body)(void))
{
    body();
}

unsigned back_cores(void)
{
    return bm_core_count();
}

unsigned back_core(void)
{
    return bm_core_id();
}

void back_item(void (*function)(void *arg), void *arg)
{
    struct bm_work work;
    bm_work_init(&work, function, arg);
    BM_MARKER(MARK_BEGIN);
    bm_work_submit(&work);
    bm_work_wait(&work);
    BM_MARKER(MARK_END);
}

void back_across(void (*function)(void *arg), void *arg, volatile int *done)
{
    struct bm_work work;
    bm_work_init(&work, function, arg);
    BM_MARKER(MARK_BEGIN);
    bm_work_submit(&work);
    while (!*done)
        __builtin_ia32_pause();
    bm_work_wait(&work);
    BM_MARKER(MARK_END);
}

int back_named(void (*function)(void *arg), void *arg)
{
    struct bm_work work;
    bm_work_init(&work, function, arg);
    BM_MARKER(MARK_BEGIN);
    bm_work_submit_on(1, &work);
    bm_work_wait(&work);
    BM_MARKER(MARK_END);
    return 1;
}

void back_many(void (*function)(void *arg), char *args, size_t size, size_t count)
{
    static struct bm_work items[ITEMS_MAX];
    struct bm_work_group group;
    if (count > ITEMS_MAX)
        abort();
    BM_MARKER(MARK_BEGIN);
    bm_work_group_init(&group);
    for (size_t i = 0; i < count; i++) {
        bm_work_init(&items[i], function, args + i * size);
        bm_work_group_add(&group, &items[i]);
    }
    bm_work_group_wait(&group);
    BM_MARKER(MARK_END);
}

static void run_piece(size_t begin, size_t end, void *arg)
{
    void (*function)(size_t) = (void (*)(size_t))arg;
    for (size_t i = begin; i < end; i++)
        function(i);
}

void back_for(void (*function)(size_t index), size_t count)
{
    size_t cores = bm_core_count();
    BM_MARKER(MARK_BEGIN);
    bm_parallel_for(0, count, (count + cores - 1) / cores, run_piece, (void *)function);
    BM_MARKER(MARK_END);
}
