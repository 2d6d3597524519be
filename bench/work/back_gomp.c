// OpenMP tasks and loops, by gcc and libgomp.
// SPDX-License-Identifier: MIT
#include <omp.h>

#include "back.h"

const char back_name[] = "libgomp";

void back_enter(void (*body)(void))
{
#pragma omp parallel
#pragma omp master
    body();
}

unsigned back_cores(void)
{
    return (unsigned)omp_get_max_threads();
}

unsigned back_core(void)
{
    return (unsigned)omp_get_thread_num();
}

void back_item(void (*function)(void *arg), void *arg)
{
    BM_MARKER(MARK_BEGIN);
#pragma omp task
    function(arg);
#pragma omp taskwait
    BM_MARKER(MARK_END);
}

void back_across(void (*function)(void *arg), void *arg, volatile int *done)
{
    BM_MARKER(MARK_BEGIN);
#pragma omp task
    function(arg);
    while (!*done)
        __builtin_ia32_pause();
#pragma omp taskwait
    BM_MARKER(MARK_END);
}

int back_named(void (*function)(void *arg), void *arg)
{
    (void)function;
    (void)arg;
    return 0;
}

void back_many(void (*function)(void *arg), char *args, size_t size, size_t count)
{
    BM_MARKER(MARK_BEGIN);
    for (size_t i = 0; i < count; i++) {
#pragma omp task
        function(args + i * size);
    }
#pragma omp taskwait
    BM_MARKER(MARK_END);
}

// Called outside a parallel region: the loop opens its own, as programs do.
void back_for(void (*function)(size_t index), size_t count)
{
    BM_MARKER(MARK_BEGIN);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        function(i);
    BM_MARKER(MARK_END);
}
