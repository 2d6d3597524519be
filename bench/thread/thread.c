// What threads cost: a switch, to make and join one, a mutex that nobody else wants.
// SPDX-License-Identifier: MIT
#include <baremetal/thread.h>

#include "../marker.h"

enum { SWITCH_BEGIN = 1, SWITCH_END, MADE_BEGIN, MADE_END };
enum { ROUNDS = 1000 }; // of two switches each

static void *yield_often(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        bm_thread_yield();
    return arg;
}

static void *end_at_once(void *arg)
{
    return arg;
}

int main(void)
{
    struct bm_thread *thread;
    if (bm_thread_create(&thread, yield_often, 0, 0))
        return 1;
    bm_thread_yield();
    BM_MARKER(SWITCH_BEGIN);
    for (int i = 0; i < ROUNDS - 1; i++)
        bm_thread_yield();
    BM_MARKER(SWITCH_END);
    bm_thread_join(thread, 0, UINT64_MAX);
    for (int i = 0; i < 100; i++) {
        BM_MARKER(MADE_BEGIN);
        if (bm_thread_create(&thread, end_at_once, 0, 0) || bm_thread_join(thread, 0, UINT64_MAX))
            return 1;
        BM_MARKER(MADE_END);
    }
    return 0;
}
