// A server beside a thread that computes without end, on one core: a client in the same machine is answered
// within 30 ms of the machine's own time (-icount: an instruction is two nanoseconds).
// SPDX-License-Identifier: MIT
// @link net
// @variants picolibc
// @machines q35
// @cpus max
// @smp 1,maxcpus=2
// @memory 64
// @timeout 120
// @append log=warn
// @argument -icount shift=1,sleep=off
// @expect ^slowest of 40 answers: \d+ ms$
#include "check.h"

#include <arpa/inet.h>
#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { PORT = 4000, ROUNDS = 40, MILLISECOND = 1000000, ANSWER_MAX = 30 };

static atomic_bool over;

static struct sockaddr_in address(void)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void *compute(void *arg)
{
    while (!atomic_load_explicit(&over, memory_order_relaxed))
        ;
    return arg;
}

static void *serve(void *arg)
{
    int server = *(int *)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        int number;
        CHECK(recvfrom(server, &number, sizeof number, 0, (struct sockaddr *)&from, &length) ==
              sizeof number);
        CHECK(sendto(server, &number, sizeof number, 0, (struct sockaddr *)&from, length) == sizeof number);
    }
    return NULL;
}

static uint64_t ask(int client, int number)
{
    struct sockaddr_in to = address();
    int answer;
    uint64_t begin = bm_time_monotonic();
    CHECK(sendto(client, &number, sizeof number, 0, (struct sockaddr *)&to, sizeof to) == sizeof number);
    CHECK(recv(client, &answer, sizeof answer, 0) == sizeof answer && answer == number);
    return bm_time_monotonic() - begin;
}

int main(void)
{
    struct bm_thread *computing, *serving;
    struct sockaddr_in here = address();
    uint64_t slowest = 0;
    int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(server, (struct sockaddr *)&here, sizeof here) == 0);
    CHECK(bm_thread_create(&serving, serve, &server, NULL) == 0);
    CHECK(bm_thread_create(&computing, compute, NULL, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t time = ask(client, i);
        slowest = time > slowest ? time : slowest;
    }
    atomic_store(&over, true);
    CHECK(bm_thread_join(serving, NULL, UINT64_MAX) == 0 && bm_thread_join(computing, NULL, UINT64_MAX) == 0);
    printf("slowest of %d answers: %u ms\n", ROUNDS, (unsigned)(slowest / MILLISECOND));
    CHECK(slowest <= ANSWER_MAX * (uint64_t)MILLISECOND);
    return passed();
}
