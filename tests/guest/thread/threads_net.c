// Threads that block in recv, each in a socket of its own, cost the others nothing and are woken by name.
// SPDX-License-Identifier: MIT
// @link net drivers
// @append ip=off
// @timeout 120
//
// @run one
// @smp 1,maxcpus=2
// @run four
// @smp 4
// @machines q35
#include "check.h"

#include <baremetal/thread.h>
#include <baremetal/time.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 50, ROUNDS = 20 };

static struct sockaddr_in address_of(int number)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(5000 + number)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int socket_make(int number)
{
    struct sockaddr_in address = address_of(number);
    int made = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(made >= 0 && bind(made, (struct sockaddr *)&address, sizeof address) == 0);
    return made;
}

static int sockets[THREADS];

// Answers what comes with one more.
static void *answer(void *arg)
{
    int own = *(int *)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        int number;
        CHECK(recvfrom(own, &number, sizeof number, 0, (struct sockaddr *)&from, &size) == sizeof number);
        number++;
        CHECK(sendto(own, &number, sizeof number, 0, (struct sockaddr *)&from, size) == sizeof number);
    }
    return NULL;
}

// Computes beside them and gives way now and then.
static atomic_bool stop;

static void *compute(void *arg)
{
    long *rounds = arg;
    for (; !stop; bm_thread_yield())
        ++*rounds;
    return arg;
}

int main(void)
{
    struct bm_thread *threads[THREADS], *computing;
    long rounds = 0;
    for (int i = 0; i < THREADS; i++) {
        sockets[i] = socket_make(i + 1);
        CHECK(bm_thread_create(&threads[i], answer, &sockets[i], NULL) == 0);
    }
    CHECK(bm_thread_create(&computing, compute, &rounds, NULL) == 0);
    int own = socket_make(0);
    for (int i = 0; i < THREADS * ROUNDS; i++) {
        struct sockaddr_in to = address_of(i * 7 % THREADS + 1);
        int number = i;
        CHECK(sendto(own, &number, sizeof number, 0, (struct sockaddr *)&to, sizeof to) == sizeof number);
        CHECK(recv(own, &number, sizeof number, 0) == sizeof number && number == i + 1);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(bm_thread_join(threads[i], NULL, UINT64_MAX) == 0);
    stop = true;
    CHECK(bm_thread_join(computing, NULL, UINT64_MAX) == 0);
    CHECK(rounds > 0);
    return passed();
}
