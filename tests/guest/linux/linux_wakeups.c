// No wake-up is lost: servers on select, poll and epoll (level and edge) answer many clients on several
// cores. Nobody waits with a timeout, so a change that is not told stops a client for good. The source also
// passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @link net drivers
// @append ip=off
// @machines q35
// @cpus max
// @memory 128
// @timeout 120
// @run two cores
// @smp 2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 5, RECONNECTS = 4, QUESTIONS = 40, PIECE = 700, CONNECTIONS = 64, IDLE_LIMIT = 10 };
enum kind { SELECT, POLL, LEVEL, EDGE, KINDS };

static const char *const names[KINDS] = {"select", "poll", "epoll", "epoll, edge"};

// A server with its clients, which end it when all are done.
struct server {
    enum kind kind;
    int family, listener, epoll, count;
    int open[CONNECTIONS];
    struct sockaddr_storage address;
    socklen_t size;
    atomic_int answered, served;
    pthread_t thread, clients[CLIENTS];
};

static void server_open(struct server *s)
{
    struct sockaddr_in *ip4 = (struct sockaddr_in *)&s->address;
    s->address.ss_family = (sa_family_t)s->family;
    s->size = s->family == AF_INET ? sizeof *ip4 : offsetof(struct sockaddr_un, sun_path);
    if (s->family == AF_INET)
        ip4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(s->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(bind(s->listener, (struct sockaddr *)&s->address, s->size) == 0);
    s->size = sizeof s->address;
    CHECK(getsockname(s->listener, (struct sockaddr *)&s->address, &s->size) == 0);
    CHECK(listen(s->listener, CONNECTIONS) == 0);
}

static void watch(struct server *s, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | (s->kind == EDGE ? EPOLLET : 0), .data.fd = fd};
    if (s->kind >= LEVEL)
        CHECK(epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void take_connections(struct server *s)
{
    int fd;
    while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        CHECK(s->count < CONNECTIONS);
        s->open[s->count++] = fd;
        watch(s, fd);
    }
    CHECK(errno == EAGAIN);
}

// Sends back what has come. At an edge until there is no more, else once.
static void answer(struct server *s, int fd)
{
    char bytes[1024]; // an answer is one piece
    long got;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        struct pollfd room = {fd, POLLOUT, 0};
        for (long done = 0, sent; done < got; done += sent) {
            sent = send(fd, bytes + done, (size_t)(got - done), MSG_NOSIGNAL);
            CHECK(sent > 0 || errno == EAGAIN);
            if (sent < 0)
                sent = poll(&room, 1, -1) - 1;
        }
        if (s->kind != EDGE)
            return;
    }
    if (got < 0) {
        CHECK(errno == EAGAIN);
        return;
    }
    for (int i = 0; i < s->count; i++)
        if (s->open[i] == fd)
            s->open[i] = s->open[--s->count];
    CHECK(close(fd) == 0);
    s->served++;
}

static void serve_ready(struct server *s, int fd)
{
    if (fd == s->listener)
        take_connections(s);
    else
        answer(s, fd);
}

static void select_once(struct server *s)
{
    fd_set set;
    int last = s->listener, ready[CONNECTIONS + 1], count = 0;
    FD_ZERO(&set);
    FD_SET(s->listener, &set);
    for (int i = 0; i < s->count; i++) {
        FD_SET(s->open[i], &set);
        last = s->open[i] > last ? s->open[i] : last;
    }
    CHECK(select(last + 1, &set, NULL, NULL, NULL) > 0);
    for (int i = 0; i < s->count; i++)
        if (FD_ISSET(s->open[i], &set))
            ready[count++] = s->open[i];
    if (FD_ISSET(s->listener, &set))
        ready[count++] = s->listener;
    for (int i = 0; i < count; i++)
        serve_ready(s, ready[i]);
}

static void poll_once(struct server *s)
{
    struct pollfd set[CONNECTIONS + 1];
    int count = s->count;
    for (int i = 0; i < count; i++)
        set[i] = (struct pollfd){s->open[i], POLLIN, 0};
    set[count] = (struct pollfd){s->listener, POLLIN, 0};
    CHECK(poll(set, (nfds_t)count + 1, -1) > 0);
    for (int i = 0; i <= count; i++)
        if (set[i].revents)
            serve_ready(s, set[i].fd);
}

static void epoll_once(struct server *s)
{
    struct epoll_event events[8];
    int count = epoll_wait(s->epoll, events, 8, -1);
    CHECK(count > 0);
    for (int i = 0; i < count; i++)
        serve_ready(s, events[i].data.fd);
}

static void *serve(void *arg)
{
    static void (*const once[KINDS])(struct server *) = {select_once, poll_once, epoll_once, epoll_once};
    struct server *s = arg;
    s->epoll = epoll_create1(0);
    watch(s, s->listener);
    while (s->served < CLIENTS * RECONNECTS)
        once[s->kind](s);
    CHECK(close(s->epoll) == 0 && close(s->listener) == 0);
    return NULL;
}

// Asks in pieces of several sizes, and waits for each answer.
static void *ask(void *arg)
{
    struct server *s = arg;
    char out[PIECE], in[PIECE];
    for (int turn = 0; turn < RECONNECTS; turn++) {
        int fd = socket(s->family, SOCK_STREAM, 0);
        CHECK(connect(fd, (struct sockaddr *)&s->address, s->size) == 0);
        for (int i = 0; i < QUESTIONS; i++) {
            long size = 1 + (i * 97 + turn * 31) % PIECE;
            memset(out, i + turn, (size_t)size);
            CHECK(send(fd, out, (size_t)size, MSG_NOSIGNAL) == size);
            CHECK(recv(fd, in, (size_t)size, MSG_WAITALL) == size && memcmp(in, out, (size_t)size) == 0);
            s->answered++;
        }
        CHECK(close(fd) == 0);
    }
    return NULL;
}

static struct server servers[2 * KINDS];

static int answered(void)
{
    int all = 0;
    for (int i = 0; i < 2 * KINDS; i++)
        all += servers[i].answered;
    return all;
}

// The hang detector.
static void watch_progress(void)
{
    int before = -1, idle = 0;
    while (answered() < 2 * KINDS * CLIENTS * RECONNECTS * QUESTIONS) {
        idle = answered() == before ? idle + 1 : 0;
        before = answered();
        for (int i = 0; idle == 100 * IDLE_LIMIT && i < 2 * KINDS; i++)
            printf("%s, family %d: %d answers, %d connections ended\n", names[servers[i].kind],
                   servers[i].family, servers[i].answered, servers[i].served);
        CHECK(idle < 100 * IDLE_LIMIT);
        usleep(10000);
    }
}

int main(void)
{
    for (int i = 0; i < 2 * KINDS; i++) {
        struct server *s = &servers[i];
        s->kind = (enum kind)(i % KINDS);
        s->family = i < KINDS ? AF_INET : AF_UNIX;
        server_open(s);
        CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
        for (int j = 0; j < CLIENTS; j++)
            CHECK(pthread_create(&s->clients[j], NULL, ask, s) == 0);
    }
    watch_progress();
    for (int i = 0; i < 2 * KINDS; i++) {
        for (int j = 0; j < CLIENTS; j++)
            CHECK(pthread_join(servers[i].clients[j], NULL) == 0);
        CHECK(pthread_join(servers[i].thread, NULL) == 0);
    }
    return passed();
}
