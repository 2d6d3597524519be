// Waits that a signal may end: one function, with a deadline, that tells why the wait is over.
// SPDX-License-Identifier: MIT
#include "hooks.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/wait.h>
#include <baremetal/waitqueue.h>

struct wait {
    bool (*condition)(void *arg);
    void *arg;
};

static bool is_over(void *arg)
{
    const struct wait *wait = arg;
    return wait->condition(wait->arg) || bm_wait_signalled();
}

// The condition is looked at last, when nobody wakes this waiter any more: what it was woken for is not lost
// when a signal comes at the same time.
int bm_wait_signal(struct bm_waitqueue *queue, bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    struct wait wait = {condition, arg};
    bool in_time = true;
    while (!condition(arg)) {
        if (!in_time || deadline == 0)
            return -BM_EAGAIN;
        in_time = queue ? bm_waitqueue_wait(queue, is_over, &wait, deadline)
                        : bm_wait_woken(is_over, &wait, deadline);
        if (bm_wait_signalled() && !condition(arg))
            return deadline == UINT64_MAX ? -BM_ERESTART : -BM_ERESTART_UNHANDLED;
    }
    return 0;
}
