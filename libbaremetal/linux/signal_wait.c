// Signals that are waited for.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>

enum { INFORMATION = 128 }; // bytes of siginfo_t

struct wait {
    struct bm_linux_signals *self;
    uint64_t set;
    struct bm_linux_signal what;
    bool found;
};

// By the thread itself, so it may take what it finds.
static bool is_over(void *arg)
{
    struct wait *wait = arg;
    if (!wait->found)
        wait->found = bm_linux_signal_next(wait->self, wait->set, &wait->what);
    return wait->found || bm_linux_signal_ready(wait->self);
}

long bm_linux_rt_sigtimedwait(const uint64_t *set, void *information, const struct linux_timespec *timeout,
                              size_t size)
{
    struct wait wait = {.self = bm_linux_signals_self()};
    uint64_t duration, deadline = UINT64_MAX;
    if (size != sizeof *set)
        return -BM_EINVAL;
    int error = timeout ? bm_linux_nanoseconds(timeout, &duration) : 0;
    if (error)
        return error;
    if (timeout)
        deadline = duration ? bm_linux_deadline(duration) : 0;
    wait.set = *set & ~LINUX_UNBLOCKABLE;
    atomic_store(&wait.self->awaited, wait.set);
    bool over = bm_wait_woken(is_over, &wait, deadline);
    atomic_store(&wait.self->awaited, 0);
    bm_linux_signals_retarget(wait.set);
    if (wait.found) {
        if (information) {
            __builtin_memset(information, 0, INFORMATION);
            __builtin_memcpy(information, &wait.what, sizeof wait.what);
        }
        return wait.what.signal;
    }
    bm_linux_signal_take(wait.self);
    return over ? -BM_EINTR : -BM_EAGAIN;
}
