// oneTBB: a task group and parallel_for.
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <tbb/blocked_range.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "back.h"

extern const char back_name[] = "oneTBB";

void back_enter(void (*body)(void))
{
    body();
}

unsigned back_cores(void)
{
    return (unsigned)tbb::this_task_arena::max_concurrency();
}

unsigned back_core(void)
{
    return (unsigned)tbb::this_task_arena::current_thread_index();
}

void back_item(void (*function)(void *arg), void *arg)
{
    static tbb::task_group group;
    BM_MARKER(MARK_BEGIN);
    group.run([=] { function(arg); });
    group.wait();
    BM_MARKER(MARK_END);
}

void back_across(void (*function)(void *arg), void *arg, volatile int *done)
{
    static tbb::task_group group;
    BM_MARKER(MARK_BEGIN);
    group.run([=] { function(arg); });
    while (!*done)
        __builtin_ia32_pause();
    group.wait();
    BM_MARKER(MARK_END);
}

int back_named(void (*)(void *arg), void *)
{
    return 0;
}

void back_many(void (*function)(void *arg), char *args, size_t size, size_t count)
{
    static tbb::task_group group;
    BM_MARKER(MARK_BEGIN);
    for (size_t i = 0; i < count; i++)
        group.run([=] { function(args + i * size); });
    group.wait();
    BM_MARKER(MARK_END);
}

void back_for(void (*function)(size_t index), size_t count)
{
    BM_MARKER(MARK_BEGIN);
    tbb::parallel_for(
        tbb::blocked_range<size_t>(0, count),
        [=](const tbb::blocked_range<size_t> &range) {
            for (size_t i = range.begin(); i < range.end(); i++)
                function(i);
        },
        tbb::static_partitioner());
    BM_MARKER(MARK_END);
}
