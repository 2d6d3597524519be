// A thread that uses more stack than it has: the report says so and names the thread.
// SPDX-License-Identifier: MIT
// @status 37
// @smp 2
// @expect BEGIN
// @expect fault: page fault: (reading|writing) address 0x[0-9a-f]+ \(stack overflow: guard page\), on core
// [01], in thread digger \\([0-9]+\\)
// @forbid not reached
#include "check.h"

#include <baremetal/thread.h>
#include <stdint.h>

OPAQUE static int dig(volatile int depth)
{
    volatile char used[256];
    used[0] = (char)depth;
    return depth ? dig(depth + 1) + used[0] : 0;
}

static void *overflow(void *arg)
{
    printf("not reached: %d\n", dig(1));
    return arg;
}

int main(void)
{
    puts("BEGIN");
    struct bm_thread_options options = {.name = "digger", .stack_size = 16 << 10};
    struct bm_thread *thread;
    CHECK(bm_thread_create(&thread, overflow, NULL, &options) == 0);
    CHECK(bm_thread_join(thread, NULL, UINT64_MAX) == 0);
    return passed();
}
