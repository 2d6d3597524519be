// Epoll, eventfd and timerfd; the same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @link net drivers tmpfs
// @append ip=127.0.0.1/8
// @machines q35
// @cpus max
// @run one core
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int add(int epoll, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static int modify(int epoll, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
}

// What is ready of one descriptor; 0: nothing is.
static uint32_t ready(int epoll, int timeout)
{
    struct epoll_event event = {0};
    int found = epoll_wait(epoll, &event, 1, timeout);
    CHECK(found == 0 || found == 1);
    return found ? event.events : 0;
}

static void test_levels_and_edges(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), ends[2];
    char bytes[8];
    CHECK(epoll >= 0 && fcntl(epoll, F_GETFD) == FD_CLOEXEC && pipe(ends) == 0);
    CHECK(add(epoll, ends[0], EPOLLIN) == 0);
    CHECK_ERRNO(add(epoll, ends[0], EPOLLIN), EEXIST);
    CHECK(ready(epoll, 0) == 0 && ready(epoll, 5) == 0);
    CHECK(write(ends[1], "ab", 2) == 2);
    CHECK(ready(epoll, -1) == EPOLLIN && ready(epoll, -1) == EPOLLIN);
    CHECK(modify(epoll, ends[0], EPOLLIN | EPOLLET) == 0);
    CHECK(ready(epoll, -1) == EPOLLIN && ready(epoll, 0) == 0);
    CHECK(write(ends[1], "c", 1) == 1 && ready(epoll, -1) == EPOLLIN && ready(epoll, 0) == 0);
    CHECK(modify(epoll, ends[0], EPOLLIN | EPOLLONESHOT) == 0);
    CHECK(ready(epoll, -1) == EPOLLIN && ready(epoll, 0) == 0);
    CHECK(write(ends[1], "d", 1) == 1 && ready(epoll, 0) == 0);
    CHECK(modify(epoll, ends[0], EPOLLIN) == 0 && ready(epoll, 0) == EPOLLIN);
    CHECK(read(ends[0], bytes, 8) == 4 && ready(epoll, 0) == 0);
    CHECK(close(ends[1]) == 0 && ready(epoll, -1) == EPOLLHUP);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], NULL) == 0 && ready(epoll, 0) == 0);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], NULL), ENOENT);
    CHECK_ERRNO(modify(epoll, ends[0], EPOLLIN), ENOENT);
    CHECK(close(ends[0]) == 0 && close(epoll) == 0);
}

static void test_errors(void)
{
    struct epoll_event event;
    int epoll = epoll_create(1), file = open("/tmp/epoll", O_RDWR | O_CREAT, 0600), ends[2];
    CHECK(epoll >= 0 && pipe(ends) == 0);
    CHECK_ERRNO(epoll_create1(1), EINVAL);
    CHECK_ERRNO(add(epoll, 999, EPOLLIN), EBADF);
    CHECK_ERRNO(add(999, ends[0], EPOLLIN), EBADF);
    CHECK_ERRNO(add(ends[0], ends[1], EPOLLIN), EINVAL);
    CHECK_ERRNO(add(epoll, epoll, EPOLLIN), EINVAL);
    if (file >= 0)
        CHECK_ERRNO(add(epoll, file, EPOLLIN), EPERM);
    CHECK_ERRNO(add(epoll, ends[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
    CHECK_ERRNO(epoll_ctl(epoll, 9, ends[0], &event), EINVAL);
    CHECK_ERRNO(epoll_wait(epoll, &event, 0, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(ends[0], &event, 1, 0), EINVAL);
    CHECK_ERRNO(read(epoll, &event, 1), EINVAL);
    CHECK(add(epoll, ends[0], EPOLLIN | EPOLLEXCLUSIVE) == 0);
    CHECK_ERRNO(modify(epoll, ends[0], EPOLLIN), EINVAL);
    close(file);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(epoll) == 0);
}

static void test_nests(void)
{
    int epolls[8], ends[2];
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 8; i++)
        CHECK((epolls[i] = epoll_create1(0)) >= 0);
    CHECK(add(epolls[0], ends[0], EPOLLIN) == 0 && add(epolls[1], epolls[0], EPOLLIN) == 0);
    CHECK_ERRNO(add(epolls[0], epolls[1], EPOLLIN), ELOOP);
    struct pollfd watched = {.fd = epolls[1], .events = POLLIN};
    CHECK(ready(epolls[1], 0) == 0 && poll(&watched, 1, 0) == 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(poll(&watched, 1, -1) == 1 && watched.revents == POLLIN);
    CHECK(ready(epolls[1], -1) == EPOLLIN && ready(epolls[0], -1) == EPOLLIN);
    int last = 0;
    while (last < 6 && add(epolls[last + 2], epolls[last + 1], EPOLLIN) == 0)
        last++;
    CHECK(last < 6 && errno == ELOOP);
    for (int i = 0; i < 8; i++)
        CHECK(close(epolls[i]) == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

// A file is forgotten with its last descriptor, and its number is free for another.
static void test_close(void)
{
    int epoll = epoll_create1(0), ends[2], others[2];
    CHECK(pipe(ends) == 0 && add(epoll, ends[0], EPOLLIN) == 0);
    int twin = dup(ends[0]);
    CHECK(write(ends[1], "x", 1) == 1 && close(ends[0]) == 0);
    CHECK(ready(epoll, 0) == EPOLLIN); // the file is still open
    CHECK(close(twin) == 0 && ready(epoll, 0) == 0);
    CHECK(pipe(others) == 0 && others[0] == ends[0] && add(epoll, others[0], EPOLLIN) == 0);
    CHECK(close(epoll) == 0 && write(others[1], "x", 1) == 1);
    CHECK(close(others[0]) == 0 && close(others[1]) == 0 && close(ends[1]) == 0);
}

static void test_eventfd(void)
{
    uint64_t value = 0;
    int counter = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC),
        semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    CHECK(counter >= 0 && semaphore >= 0);
    CHECK_ERRNO(eventfd(0, 0x40), EINVAL);
    CHECK(read(counter, &value, 8) == 8 && value == 3);
    CHECK_ERRNO(read(counter, &value, 8), EAGAIN);
    CHECK_ERRNO(read(counter, &value, 7), EINVAL);
    value = UINT64_MAX;
    CHECK_ERRNO(write(counter, &value, 8), EINVAL);
    struct pollfd watched = {.fd = counter, .events = POLLIN | POLLOUT};
    CHECK(poll(&watched, 1, 0) == 1 && watched.revents == POLLOUT);
    value = UINT64_MAX - 1;
    CHECK(write(counter, &value, 8) == 8 && poll(&watched, 1, 0) == 1 && watched.revents == POLLIN);
    value = 1;
    CHECK_ERRNO(write(counter, &value, 8), EAGAIN);
    CHECK(read(semaphore, &value, 8) == 8 && value == 1 && read(semaphore, &value, 8) == 8 && value == 1);
    CHECK_ERRNO(read(semaphore, &value, 8), EAGAIN);
    CHECK(close(counter) == 0 && close(semaphore) == 0);
}

static void test_timerfd(void)
{
    enum { MILLISECOND = 1000000 };
    struct itimerspec never = {0}, once = {.it_value = {0, MILLISECOND}}, left;
    struct itimerspec often = {.it_interval = {0, MILLISECOND}, .it_value = {0, MILLISECOND}};
    uint64_t value = 0;
    CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), epoll = epoll_create1(0);
    CHECK(timer >= 0 && add(epoll, timer, EPOLLIN) == 0 && ready(epoll, 0) == 0);
    CHECK_ERRNO(read(timer, &value, 8), EAGAIN);
    CHECK_ERRNO(read(timer, &value, 4), EINVAL);
    CHECK_ERRNO(timerfd_settime(epoll, 0, &once, NULL), EINVAL);
    CHECK_ERRNO(timerfd_settime(999, 0, &once, NULL), EBADF);
    CHECK_ERRNO(timerfd_settime(timer, 4, &once, NULL), EINVAL);
    CHECK(timerfd_settime(timer, 0, &once, NULL) == 0 && ready(epoll, -1) == EPOLLIN);
    CHECK(read(timer, &value, 8) == 8 && value == 1 && ready(epoll, 3) == 0);
    CHECK(timerfd_gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
    CHECK(timerfd_settime(timer, 0, &often, NULL) == 0);
    for (uint64_t sum = 0; sum < 5; sum += value) {
        CHECK(ready(epoll, -1) == EPOLLIN && read(timer, &value, 8) == 8);
        CHECK(value > 0);
    }
    often.it_value.tv_sec = 100;
    CHECK(timerfd_settime(timer, 0, &often, NULL) == 0 && timerfd_settime(timer, 0, &never, &left) == 0);
    CHECK(left.it_interval.tv_nsec == MILLISECOND && left.it_value.tv_sec >= 99);
    CHECK(close(timer) == 0 && close(epoll) == 0);
    // A time on the clock, which a blocking read waits for.
    timer = timerfd_create(CLOCK_REALTIME, 0);
    CHECK(clock_gettime(CLOCK_REALTIME, &once.it_value) == 0);
    once.it_value.tv_nsec += 5 * MILLISECOND;
    once.it_value.tv_sec += once.it_value.tv_nsec / 1000000000;
    once.it_value.tv_nsec %= 1000000000;
    CHECK(timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &once, NULL) == 0);
    CHECK(read(timer, &value, 8) == 8 && value == 1);
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    CHECK(now.tv_sec > once.it_value.tv_sec ||
          (now.tv_sec == once.it_value.tv_sec && now.tv_nsec >= once.it_value.tv_nsec));
    CHECK(close(timer) == 0);
}

enum { MANY = 100, ROUNDS = 200 };
static int counters[MANY];

static void *count(void *arg)
{
    const uint64_t one = 1;
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < MANY; j++)
            CHECK(write(counters[j], &one, 8) == 8);
    return arg;
}

// Edges from other threads: none is lost.
static void test_threads(void)
{
    pthread_t threads[2];
    struct epoll_event events[16];
    int epoll = epoll_create1(0);
    uint64_t sum = 0, value;
    for (int i = 0; i < MANY; i++) {
        counters[i] = eventfd(0, EFD_NONBLOCK);
        CHECK(counters[i] >= 0 && add(epoll, counters[i], EPOLLIN | EPOLLET) == 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, count, NULL) == 0);
    while (sum < 2 * MANY * ROUNDS) {
        int found = epoll_wait(epoll, events, 16, -1);
        CHECK(found > 0);
        for (int i = 0; i < found; i++)
            if (read(events[i].data.fd, &value, 8) == 8)
                sum += value;
    }
    CHECK(sum == 2 * MANY * ROUNDS);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < MANY; i++)
        CHECK(close(counters[i]) == 0);
    CHECK(close(epoll) == 0);
}

static void test_sockets(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
    socklen_t size = sizeof address;
    int epoll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM, 0), client, server;
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 4) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    CHECK(add(epoll, listener, EPOLLIN) == 0 && ready(epoll, 0) == 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&address, size) == 0);
    CHECK(ready(epoll, -1) == EPOLLIN);
    CHECK((server = accept(listener, NULL, NULL)) >= 0 && ready(epoll, 0) == 0);
    CHECK(add(epoll, server, EPOLLIN | EPOLLRDHUP | EPOLLET) == 0 && ready(epoll, 0) == 0);
    CHECK(send(client, "x", 1, 0) == 1 && ready(epoll, -1) == EPOLLIN && ready(epoll, 0) == 0);
    CHECK(send(client, "y", 1, 0) == 1 && ready(epoll, -1) == EPOLLIN);
    CHECK(shutdown(client, SHUT_WR) == 0 && ready(epoll, -1) == (EPOLLIN | EPOLLRDHUP));
    struct pollfd watched = {.fd = server, .events = POLLRDHUP};
    CHECK(poll(&watched, 1, 0) == 1 && watched.revents == POLLRDHUP);
    CHECK(close(server) == 0 && close(client) == 0 && ready(epoll, 0) == 0);
    CHECK(close(listener) == 0 && close(epoll) == 0);
}

// Sockets within the machine: what one end does is told to who watches the other.
static void test_local(int type)
{
    static char much[4096];
    int epoll = epoll_create1(0), ends[2];
    CHECK(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK(add(epoll, ends[0], EPOLLIN | EPOLLRDHUP) == 0 && ready(epoll, 0) == 0);
    CHECK(write(ends[1], "x", 1) == 1 && ready(epoll, -1) == EPOLLIN);
    CHECK(read(ends[0], much, sizeof much) == 1 && ready(epoll, 0) == 0);
    CHECK(modify(epoll, ends[0], EPOLLOUT | EPOLLET) == 0 && ready(epoll, -1) == EPOLLOUT);
    CHECK(ready(epoll, 0) == 0);
    while (write(ends[0], much, sizeof much) > 0)
        ;
    CHECK(errno == EAGAIN && modify(epoll, ends[0], EPOLLOUT) == 0 && ready(epoll, 0) == 0);
    CHECK(modify(epoll, ends[0], 0) == 0 && ready(epoll, 0) == 0);
    CHECK(modify(epoll, ends[0], EPOLLOUT) == 0);
    while (read(ends[1], much, sizeof much) > 0)
        ;
    CHECK(ready(epoll, -1) == EPOLLOUT);
    // What it sends itself is no edge.
    CHECK(modify(epoll, ends[0], EPOLLOUT | EPOLLET) == 0 && ready(epoll, -1) == EPOLLOUT);
    CHECK(write(ends[0], "x", 1) == 1 && ready(epoll, 0) == 0 && read(ends[1], much, 8) == 1);
    CHECK(modify(epoll, ends[0], EPOLLIN | EPOLLRDHUP) == 0 && close(ends[1]) == 0);
    if (type != SOCK_DGRAM) {
        CHECK(ready(epoll, -1) == (EPOLLIN | EPOLLRDHUP | EPOLLHUP));
        CHECK(modify(epoll, ends[0], 0) == 0 && ready(epoll, -1) == EPOLLHUP);
    }
    CHECK(close(ends[0]) == 0 && close(epoll) == 0);
}

// Whoever sees an expiration first, the others are told all the same.
static void test_timerfd_seen(void)
{
    int epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec soon = {.it_value = {.tv_nsec = 1000000}}, left;
    uint64_t expired;
    CHECK(add(epoll, timer, EPOLLIN) == 0);
    for (int i = 0; i < 20; i++) {
        CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
        do
            CHECK(timerfd_gettime(timer, &left) == 0);
        while (left.it_value.tv_nsec);
        CHECK(ready(epoll, -1) == EPOLLIN && read(timer, &expired, 8) == 8 && expired == 1);
    }
    CHECK(close(timer) == 0 && close(epoll) == 0);
}

static void *write_later(void *arg)
{
    usleep(20000);
    CHECK(write(*(int *)arg, "x", 1) == 1);
    return NULL;
}

static void test_local_wakes(void)
{
    int epoll = epoll_create1(0), ends[2];
    pthread_t thread;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && add(epoll, ends[0], EPOLLIN) == 0);
    CHECK(pthread_create(&thread, NULL, write_later, &ends[1]) == 0);
    CHECK(ready(epoll, -1) == EPOLLIN && pthread_join(thread, NULL) == 0);
    struct pollfd watched = {.fd = ends[1], .events = POLLIN};
    CHECK(pthread_create(&thread, NULL, write_later, &ends[0]) == 0);
    CHECK(poll(&watched, 1, -1) == 1 && pthread_join(thread, NULL) == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(epoll) == 0);
}

int main(void)
{
    test_levels_and_edges();
    test_errors();
    test_nests();
    test_close();
    test_eventfd();
    test_timerfd();
    test_threads();
    test_sockets();
    test_timerfd_seen();
    test_local(SOCK_STREAM);
    test_local(SOCK_SEQPACKET);
    test_local(SOCK_DGRAM);
    test_local_wakes();
    return passed();
}
