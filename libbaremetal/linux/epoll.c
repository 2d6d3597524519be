// Epoll, and eventfd.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

#include <baremetal/epoll.h>
#include <baremetal/eventfd.h>

long bm_linux_epoll_create1(int flags)
{
    return bm_epoll_open(flags);
}

long bm_linux_epoll_create(int size)
{
    return size > 0 ? bm_epoll_open(0) : -BM_EINVAL;
}

long bm_linux_epoll_ctl(int epoll, int operation, int descriptor, const struct bm_epoll_event *event)
{
    if (!event && operation != BM_EPOLL_DELETE)
        return -BM_EFAULT;
    return bm_epoll_control(epoll, operation, descriptor, event);
}

static long wait_until(int epoll, struct bm_epoll_event *events, int max, uint64_t deadline)
{
    struct bm_linux_signals *signals = bm_linux_signals_self ? bm_linux_signals_self() : NULL;
    long found = bm_epoll_wait(epoll, events, max, deadline, signals ? bm_linux_signal_ready : NULL, signals);
    return found || !signals || !bm_linux_signal_ready(signals) ? found : -BM_EINTR;
}

long bm_linux_epoll_wait(int epoll, struct bm_epoll_event *events, int max, int timeout)
{
    return bm_linux_epoll_pwait(epoll, events, max, timeout, NULL, 0);
}

long bm_linux_epoll_pwait(int epoll, struct bm_epoll_event *events, int max, int timeout,
                          const uint64_t *mask, size_t size)
{
    if (mask && size != sizeof *mask)
        return -BM_EINVAL;
    uint64_t deadline = UINT64_MAX;
    if (timeout >= 0)
        deadline = timeout == 0 ? 0 : bm_linux_deadline((uint64_t)timeout * 1000000);
    uint64_t before = bm_linux_mask_begin(mask);
    return bm_linux_mask_end(mask, before, wait_until(epoll, events, max, deadline));
}

long bm_linux_epoll_pwait2(int epoll, struct bm_epoll_event *events, int max,
                           const struct linux_timespec *timeout, const uint64_t *mask, size_t size)
{
    uint64_t deadline;
    int error = mask && size != sizeof *mask ? -BM_EINVAL : bm_linux_deadline_of(timeout, &deadline);
    if (error)
        return error;
    uint64_t before = bm_linux_mask_begin(mask);
    return bm_linux_mask_end(mask, before, wait_until(epoll, events, max, deadline));
}

long bm_linux_eventfd2(unsigned value, int flags)
{
    return bm_eventfd_open(value, flags);
}

long bm_linux_eventfd(unsigned value)
{
    return bm_eventfd_open(value, 0);
}
