// Threads that are blocked cost the others nothing: in a pipe's read, in poll, in recv of datagrams, and
// under musl of AF_UNIX.
// SPDX-License-Identifier: MIT
// @variants picolibc musl
// @link net drivers
// @append ip=127.0.0.1/8 cores=1
// @argument -icount shift=0,sleep=off
// @memory 1024
// @machines q35
// @cpus max
// @expect blocked in read: 10000, each woken once
// @expect blocked in poll: 10000, each woken once
// @expect blocked in recv: 10000, each woken once
#include "check.h"

#include <arpa/inet.h>
#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

// Virtual nanoseconds are instructions under -icount shift=0.
enum { MANY = 10000, FEW = 10, SOCKETS = 1000, YIELDS = 2000, PIPES = 4, STACK = 16384 };

static struct bm_thread *threads[MANY];
static int pipes[PIPES][2], sockets[SOCKETS], own;
static atomic_uint begun, ended;
static atomic_bool over;

static void *yield_too(void *arg)
{
    while (!over)
        bm_thread_yield();
    return arg;
}

// Something happens in the network that concerns none of them.
static void exchange(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    char byte;
    CHECK(getsockname(own, (struct sockaddr *)&address, &size) == 0);
    CHECK(sendto(own, "x", 1, 0, (struct sockaddr *)&address, size) == 1 && recv(own, &byte, 1, 0) == 1);
}

// Instructions of one yield between two threads while others are blocked. Devices are served as ever, and
// their work is at most so much.
static uint64_t yield_cost(void)
{
    struct bm_thread *other;
    over = false;
    CHECK(bm_thread_create(&other, yield_too, NULL, NULL) == 0);
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        uint64_t begin = bm_time_monotonic();
        for (int i = 0; i < YIELDS; i++) {
            bm_thread_yield();
            if (i % 500 == 0)
                exchange();
        }
        uint64_t cost = (bm_time_monotonic() - begin) / YIELDS;
        least = cost < least ? cost : least;
    }
    over = true;
    CHECK(bm_thread_join(other, NULL, UINT64_MAX) == 0);
    return least;
}

static void *read_one(void *arg)
{
    char byte;
    begun++;
    CHECK(read(pipes[(uintptr_t)arg % PIPES][0], &byte, 1) == 1);
    ended++;
    return NULL;
}

static void *poll_one(void *arg)
{
    struct pollfd watched = {.fd = pipes[(uintptr_t)arg % PIPES][0], .events = POLLIN};
    begun++;
    CHECK(poll(&watched, 1, -1) == 1 && watched.revents == POLLIN);
    ended++;
    return NULL;
}

static void *receive_one(void *arg)
{
    char byte;
    begun++;
    CHECK(recv(sockets[(uintptr_t)arg % SOCKETS], &byte, 1, 0) == 1);
    ended++;
    return NULL;
}

static void block(void *(*function)(void *arg), unsigned from, unsigned to)
{
    const struct bm_thread_options options = {.stack_size = STACK};
    for (uintptr_t i = from; i < to; i++)
        CHECK(bm_thread_create(&threads[i], function, (void *)i, &options) == 0);
    while (begun < to)
        bm_thread_yield();
    for (int i = 0; i < 200; i++) // all have gone on to their waits
        bm_thread_yield();
}

static void join(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK(bm_thread_join(threads[i], NULL, UINT64_MAX) == 0);
    CHECK(ended == count);
    begun = ended = 0;
}

// Blocks few, then many; the others pay the same. `wake` sets them free.
static void compare(const char *what, void *(*function)(void *arg), unsigned many, void (*wake)(void))
{
    block(function, 0, FEW);
    uint64_t few_cost = yield_cost();
    block(function, FEW, many);
    uint64_t many_cost = yield_cost();
    CHECK(ended == 0);
    printf("a yield: %llu instructions beside %d, %llu beside %u\n", (unsigned long long)few_cost, FEW,
           (unsigned long long)many_cost, many);
    CHECK(many_cost <= few_cost + few_cost / 10 + 5);
    wake();
    join(many);
    printf("blocked in %s: %u, each woken once\n", what, many);
}

static void write_one_each(void)
{
    for (int i = 0; i < MANY; i++)
        CHECK(write(pipes[i % PIPES][1], "x", 1) == 1);
}

static void write_for_all(void)
{
    char byte;
    for (int i = 0; i < PIPES; i++)
        CHECK(write(pipes[i][1], "x", 1) == 1);
    while (ended < MANY)
        bm_thread_yield();
    for (int i = 0; i < PIPES; i++)
        CHECK(read(pipes[i][0], &byte, 1) == 1);
}

static void sockets_open(void)
{
    for (int i = 0; i < SOCKETS; i++) {
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)(5000 + i)), .sin_addr = {htonl(0x7f000001)}};
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(sockets[i] >= 0 && bind(sockets[i], (struct sockaddr *)&address, sizeof address) == 0);
    }
}

static void own_open(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(4999), .sin_addr = {htonl(0x7f000001)}};
    own = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(own >= 0 && bind(own, (struct sockaddr *)&address, sizeof address) == 0);
}

static void send_one_each(void)
{
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 0; i < MANY; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)(5000 + i % SOCKETS)),
                                      .sin_addr = {htonl(0x7f000001)}};
        CHECK(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1);
        while (ended <= (unsigned)i) // what loops back has a bound
            bm_thread_yield();
    }
    close(sender);
}

#ifdef __linux__
static int locals[PIPES][2];

static void *receive_local(void *arg)
{
    char byte;
    begun++;
    CHECK(recv(locals[(uintptr_t)arg % PIPES][0], &byte, 1, 0) == 1);
    ended++;
    return NULL;
}

static void send_local_each(void)
{
    for (int i = 0; i < MANY; i++)
        CHECK(send(locals[i % PIPES][1], "x", 1, 0) == 1);
}
#endif

int main(void)
{
    for (int i = 0; i < PIPES; i++)
        CHECK(pipe(pipes[i]) == 0);
    sockets_open();
    own_open();
    compare("read", read_one, MANY, write_one_each);
    compare("poll", poll_one, MANY, write_for_all);
    compare("recv", receive_one, MANY, send_one_each);
#ifdef __linux__
    for (int i = 0; i < PIPES; i++)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, locals[i]) == 0);
    compare("recv within the machine", receive_local, MANY, send_local_each);
#endif
    return passed();
}
