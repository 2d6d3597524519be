// Epoll.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/epoll.h>
#include <baremetal/time.h>
#include <sys/epoll.h>

_Static_assert(sizeof(struct epoll_event) == sizeof(struct bm_epoll_event) &&
                   (int)EPOLL_CTL_MOD == (int)BM_EPOLL_MODIFY && EPOLLET == BM_EPOLL_EDGE &&
                   (int)EPOLLRDHUP == (int)BM_POLLRDHUP && (int)EPOLLRDNORM == (int)BM_POLLRDNORM,
               "the kernel's numbers and layout");

int epoll_create1(int flags)
{
    return (int)bm_posix_result(bm_epoll_open(flags));
}

int epoll_create(int size)
{
    return (int)bm_posix_result(size > 0 ? bm_epoll_open(0) : -EINVAL);
}

int epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
    if (!event && operation != EPOLL_CTL_DEL)
        return (int)bm_posix_result(-EFAULT);
    return (int)bm_posix_result(
        bm_epoll_control(epoll, operation, descriptor, (const struct bm_epoll_event *)event));
}

// No signal interrupts a wait here, so the mask has nothing to do.
int epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    (void)mask;
    return epoll_wait(epoll, events, max, timeout);
}

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    uint64_t deadline = UINT64_MAX;
    if (timeout >= 0)
        deadline = timeout == 0 ? 0 : bm_time_monotonic() + (uint64_t)timeout * 1000000;
    return (int)bm_posix_result(
        bm_epoll_wait(epoll, (struct bm_epoll_event *)events, max, deadline, NULL, NULL));
}
