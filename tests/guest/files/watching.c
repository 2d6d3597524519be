// <sys/epoll.h>, <sys/eventfd.h> and <sys/timerfd.h> of the small C libraries; the source also runs on Linux.
// SPDX-License-Identifier: MIT
// @machines q35
// @cpus max
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int epoll;

static int add(int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

// What is ready of that descriptor alone; 0: nothing is.
static uint32_t ready(int descriptor, int timeout)
{
    struct epoll_event event = {0};
    int found = epoll_wait(epoll, &event, 1, timeout);
    CHECK(found == 0 || (found == 1 && event.data.fd == descriptor));
    return found ? event.events : 0;
}

static void test_pipe(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0 && add(ends[0], EPOLLIN | EPOLLET) == 0);
    CHECK_ERRNO(add(ends[0], EPOLLIN), EEXIST);
    CHECK(ready(ends[0], 0) == 0 && write(ends[1], "x", 1) == 1);
    CHECK(ready(ends[0], -1) == EPOLLIN && ready(ends[0], 0) == 0);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = ends[0]}};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event) == 0 && ready(ends[0], 1000) == EPOLLIN);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], NULL) == 0 && ready(ends[0], 0) == 0);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), ENOENT);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], NULL), EFAULT);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void test_counter(void)
{
    eventfd_t value = 0;
    int counter = eventfd(2, EFD_NONBLOCK | EFD_CLOEXEC), one = eventfd(3, EFD_SEMAPHORE);
    CHECK(counter >= 0 && one >= 0 && (fcntl(counter, F_GETFL) & O_NONBLOCK));
    CHECK(eventfd_read(counter, &value) == 0 && value == 2);
    CHECK_ERRNO(eventfd_read(counter, &value), EAGAIN);
    CHECK(add(counter, EPOLLIN) == 0 && ready(counter, 0) == 0);
    CHECK(eventfd_write(counter, 7) == 0 && ready(counter, -1) == EPOLLIN);
    CHECK(eventfd_read(counter, &value) == 0 && value == 7 && ready(counter, 0) == 0);
    CHECK(eventfd_read(one, &value) == 0 && value == 1);
    CHECK_ERRNO(eventfd(0, 0x40000000), EINVAL);
    CHECK(close(counter) == 0 && close(one) == 0);
}

static void test_timer(void)
{
    uint64_t count = 0;
    struct itimerspec soon = {{0, 1000000}, {0, 5000000}}, left = {0};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    CHECK(timer >= 0 && add(timer, EPOLLIN) == 0 && ready(timer, 0) == 0);
    CHECK(timerfd_settime(timer, 0, &soon, &left) == 0 && left.it_value.tv_nsec == 0);
    CHECK(timerfd_gettime(timer, &left) == 0 && left.it_interval.tv_nsec == 1000000);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 5000000);
    CHECK(ready(timer, -1) == EPOLLIN && read(timer, &count, sizeof count) == sizeof count && count > 0);
    CHECK_ERRNO(timerfd_settime(timer, 8, &soon, NULL), EINVAL);
    soon.it_value.tv_nsec = 1000000000;
    CHECK_ERRNO(timerfd_settime(timer, 0, &soon, NULL), EINVAL);
    CHECK_ERRNO(timerfd_gettime(epoll, &left), EINVAL);
    CHECK_ERRNO(timerfd_create(77, 0), EINVAL);
    CHECK(close(timer) == 0);
}

int main(void)
{
    CHECK_ERRNO(epoll_create(0), EINVAL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0 && fcntl(epoll, F_GETFD) == FD_CLOEXEC);
    test_pipe();
    test_counter();
    test_timer();
    struct epoll_event event;
    CHECK_ERRNO(epoll_wait(epoll, &event, 0, 0), EINVAL);
    sigset_t all;
    sigfillset(&all);
    CHECK_ERRNO(epoll_pwait(epoll, &event, 0, 0, NULL), EINVAL);
    CHECK(epoll_pwait(epoll, &event, 1, 3, NULL) == 0 && epoll_pwait(epoll, &event, 1, 0, &all) == 0);
    int counter = eventfd(1, 0);
    CHECK(counter >= 0 && add(counter, EPOLLIN) == 0);
    CHECK(epoll_pwait(epoll, &event, 1, -1, &all) == 1 && event.data.fd == counter && close(counter) == 0);
    CHECK(epoll_wait(epoll, &event, 1, 3) == 0 && close(epoll) == 0);
    CHECK_ERRNO(epoll_wait(epoll, &event, 1, 0), EBADF);
    return passed();
}
