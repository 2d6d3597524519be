// What threads cost: a switch, to make and join one, a mutex that nobody else wants.
// SPDX-License-Identifier: MIT
#include <baremetal/thread.h>

#include "../marker.h"

enum { SWITCH_BEGIN = 1, SWITCH_END, MADE_BEGIN, MADE_END };
enum {
    BATCHES = 20,
    BATCH = 64
}; // of rounds of two switches each: of some, no tick of time slices is a part

static void *yield_often(void *arg)
{
    for (int i = 0; i < BATCHES * BATCH; i++)
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
    for (int batch = 0; batch < BATCHES - 1; batch++) {
        BM_MARKER(SWITCH_BEGIN);
        for (int i = 0; i < BATCH; i++)
            bm_thread_yield();
        BM_MARKER(SWITCH_END);
    }
    bm_thread_join(thread, 0, UINT64_MAX);
    for (int i = 0; i < 100; i++) {
        BM_MARKER(MADE_BEGIN);
        if (bm_thread_create(&thread, end_at_once, 0, 0) || bm_thread_join(thread, 0, UINT64_MAX))
            return 1;
        BM_MARKER(MADE_END);
    }
    return 0;
}
