// Calls of sockets that wait, and signals that come meanwhile: EINTR, with SA_RESTART the call goes on, but
// never one whose time the program has limited (signal(7)). The same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @link net drivers
// @append ip=off
// @machines q35
// @timeout 120
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { FULL = 8 << 20 };

static atomic_int count;
static char much[FULL];

static union {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_un local;
} there;
static socklen_t size;

static void note(int signal)
{
    (void)signal;
    atomic_fetch_add(&count, 1);
}

static void handle(int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    atomic_store(&count, 0);
}

// A signal after some milliseconds, and again and again, so that none comes before the call in vain.
static void begin(void)
{
    struct itimerval some = {.it_value = {0, 3000}, .it_interval = {0, 3000}};
    atomic_store(&count, 0);
    CHECK(setitimer(ITIMER_REAL, &some, NULL) == 0);
}

static void end(void)
{
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL) == 0);
    CHECK(atomic_load(&count) > 0);
}

#define INTERRUPTED(call)                                                                                    \
    do {                                                                                                     \
        begin();                                                                                             \
        CHECK_ERRNO(call, EINTR);                                                                            \
        end();                                                                                               \
    } while (0)

// A socket with an address of its own, which `there` tells.
static int bound(int family, int type)
{
    int made = socket(family, type, 0);
    memset(&there, 0, sizeof there);
    there.any.sa_family = (sa_family_t)family;
    size = sizeof there.ip4;
    if (family == AF_INET)
        there.ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        size = offsetof(struct sockaddr_un, sun_path); // any abstract name
    CHECK(made >= 0 && bind(made, &there.any, size) == 0);
    size = sizeof there;
    CHECK(getsockname(made, &there.any, &size) == 0);
    return made;
}

static int listener(int family)
{
    int made = bound(family, SOCK_STREAM);
    CHECK(listen(made, 0) == 0);
    return made;
}

static void connected(int server, int ends[2])
{
    ends[0] = socket(there.any.sa_family, SOCK_STREAM, 0);
    CHECK(connect(ends[0], &there.any, size) == 0);
    CHECK((ends[1] = accept(server, NULL, NULL)) >= 0);
}

static void limit(int descriptor, int option, long seconds, long microseconds)
{
    struct timeval time = {seconds, microseconds};
    CHECK(setsockopt(descriptor, SOL_SOCKET, option, &time, sizeof time) == 0);
}

// Sends until nothing is taken any more, also when the peer's system has taken its part.
static void fill(int descriptor)
{
    struct pollfd look = {descriptor, POLLOUT, 0};
    do
        while (send(descriptor, much, sizeof much, MSG_DONTWAIT) > 0)
            ;
    while (poll(&look, 1, 50) == 1);
    CHECK(errno == EAGAIN);
}

// Sends until it fails: the peer's system may take more at any time.
static long send_much(int descriptor)
{
    long sent;
    while ((sent = send(descriptor, much, sizeof much, 0)) > 0)
        ;
    return sent;
}

static long write_much(int descriptor)
{
    long sent;
    while ((sent = write(descriptor, much, sizeof much)) > 0)
        ;
    return sent;
}

static long send_messages(int descriptor)
{
    struct iovec piece = {much, sizeof much};
    const struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    long sent;
    while ((sent = sendmsg(descriptor, &message, 0)) > 0)
        ;
    return sent;
}

// What another thread does when some signals have come. It takes none itself, so that the one that waits
// does.
struct answer {
    int descriptor;
    enum { WRITES, DRAINS, CONNECTS, ACCEPTS } what;
    pthread_t thread;
};

static void *answer(void *arg)
{
    const struct answer *answer = arg;
    static char drained[FULL];
    while (atomic_load(&count) < 3)
        usleep(500);
    if (answer->what == WRITES)
        CHECK(send(answer->descriptor, "xyz", 3, 0) == 3);
    else if (answer->what == CONNECTS)
        CHECK(connect(answer->descriptor, &there.any, size) == 0);
    else if (answer->what == ACCEPTS)
        for (int got; (got = accept(answer->descriptor, NULL, NULL)) >= 0;)
            CHECK(close(got) == 0);
    else
        while (recv(answer->descriptor, drained, sizeof drained, 0) > 0)
            ;
    return NULL;
}

static void start(struct answer *one)
{
    sigset_t set, before;
    sigfillset(&set);
    CHECK(pthread_sigmask(SIG_SETMASK, &set, &before) == 0);
    CHECK(pthread_create(&one->thread, NULL, answer, one) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

static void test_interrupted(int family)
{
    int server = listener(family), ends[2];
    char bytes[8];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct mmsghdr messages[2] = {{message, 0}, {message, 0}};
    connected(server, ends);
    handle(0);
    INTERRUPTED(recv(ends[0], bytes, 8, 0));
    INTERRUPTED(read(ends[0], bytes, 8));
    INTERRUPTED(readv(ends[0], &piece, 1));
    INTERRUPTED(recvmsg(ends[0], &message, 0));
    INTERRUPTED(recvmmsg(ends[0], messages, 2, 0, NULL));
    INTERRUPTED(accept(server, NULL, NULL));
    CHECK(send(ends[1], "abc", 3, 0) == 3); // what is there is told
    begin();
    CHECK(recv(ends[0], bytes, 8, MSG_WAITALL) == 3 && memcmp(bytes, "abc", 3) == 0);
    end();
    begin();
    long sent = send(ends[0], much, sizeof much, 0);
    end();
    CHECK(sent > 0 && sent < FULL);
    INTERRUPTED(send_much(ends[0]));
    INTERRUPTED(write_much(ends[0]));
    INTERRUPTED(send_messages(ends[0]));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(server) == 0);
    int datagrams = bound(family, SOCK_DGRAM);
    INTERRUPTED(recv(datagrams, bytes, 8, 0));
    INTERRUPTED(recvmsg(datagrams, &message, 0));
    CHECK(close(datagrams) == 0);
}

static void test_restarted(int family)
{
    int server = listener(family), ends[2], third, client = socket(family, SOCK_STREAM, 0);
    char bytes[8];
    handle(SA_RESTART);
    connected(server, ends);
    struct answer writes = {.descriptor = ends[1], .what = WRITES};
    start(&writes);
    begin();
    CHECK(recv(ends[0], bytes, 8, 0) == 3 && atomic_load(&count) >= 3);
    end();
    CHECK(pthread_join(writes.thread, NULL) == 0);

    struct answer connects = {.descriptor = client, .what = CONNECTS};
    atomic_store(&count, 0);
    start(&connects);
    begin();
    CHECK((third = accept(server, NULL, NULL)) >= 0 && atomic_load(&count) >= 3);
    end();
    CHECK(pthread_join(connects.thread, NULL) == 0);

    struct answer drains = {.descriptor = ends[1], .what = DRAINS};
    fill(ends[0]);
    atomic_store(&count, 0);
    start(&drains);
    begin();
    while (atomic_load(&count) < 3)
        CHECK(send(ends[0], much, 1000, 0) > 0); // some of it, if some was taken
    end();
    CHECK(shutdown(ends[0], SHUT_WR) == 0 && pthread_join(drains.thread, NULL) == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(third) == 0 && close(client) == 0);
    CHECK(close(server) == 0);
}

// A call whose time is limited never begins again, and ends with its time when no signal comes.
static void test_limited(int family)
{
    int server = listener(family), ends[2];
    char bytes[8];
    connected(server, ends);
    handle(SA_RESTART);
    limit(ends[0], SO_RCVTIMEO, 100, 0);
    limit(ends[0], SO_SNDTIMEO, 100, 0);
    limit(server, SO_RCVTIMEO, 100, 0);
    INTERRUPTED(recv(ends[0], bytes, 8, 0));
    INTERRUPTED(read(ends[0], bytes, 8));
    INTERRUPTED(accept(server, NULL, NULL));
    CHECK(send(ends[1], "abc", 3, 0) == 3);
    begin();
    CHECK(recv(ends[0], bytes, 8, MSG_WAITALL) == 3);
    end();
    INTERRUPTED(send_much(ends[0]));
    limit(ends[0], SO_RCVTIMEO, 0, 20000);
    limit(ends[0], SO_SNDTIMEO, 0, 20000);
    limit(server, SO_RCVTIMEO, 0, 20000);
    CHECK_ERRNO(recv(ends[0], bytes, 8, 0), EAGAIN);
    CHECK_ERRNO(recv(ends[0], bytes, 8, MSG_WAITALL), EAGAIN);
    CHECK_ERRNO(send_much(ends[0]), EAGAIN);
    CHECK_ERRNO(accept(server, NULL, NULL), EAGAIN);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(server) == 0);
}

// A listener that takes no more. The attempts wait.
enum { CLIENTS = 20 };

static int fill_listener(int server, int clients[CLIENTS])
{
    int result = 0, made = 0;
    (void)server;
    while (!result && made < CLIENTS) {
        clients[made] = socket(there.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        result = connect(clients[made++], &there.any, size);
        struct pollfd look = {clients[made - 1], POLLOUT, 0};
        if (result && errno == EINPROGRESS && poll(&look, 1, 200) == 1)
            result = 0;
    }
    CHECK(result && made < CLIENTS);
    return made;
}

static void test_connect(int family)
{
    int server = listener(family), clients[CLIENTS], made = fill_listener(server, clients);
    int late = socket(family, SOCK_STREAM, 0), limited = socket(family, SOCK_STREAM, 0);
    handle(0);
    INTERRUPTED(connect(late, &there.any, size));
    handle(SA_RESTART);
    limit(limited, SO_SNDTIMEO, 100, 0);
    INTERRUPTED(connect(limited, &there.any, size));
    struct answer accepts = {.descriptor = server, .what = ACCEPTS};
    atomic_store(&count, 0);
    limit(server, SO_RCVTIMEO, 5, 0);
    start(&accepts);
    begin();
    CHECK(connect(late, &there.any, size) == 0 && atomic_load(&count) >= 3);
    end();
    CHECK_ERRNO(connect(late, &there.any, size), EISCONN);
    CHECK(shutdown(server, SHUT_RD) == 0 && pthread_join(accepts.thread, NULL) == 0);
    while (made)
        CHECK(close(clients[--made]) == 0);
    CHECK(close(late) == 0 && close(limited) == 0 && close(server) == 0);
}

static sigjmp_buf away;

static void leave(int signal)
{
    siglongjmp(away, signal);
}

// A jump out of a call that waits leaves nothing behind: the next call has its turn.
static void test_jump(int family)
{
    int server = listener(family), ends[2];
    char bytes[8];
    connected(server, ends);
    CHECK(signal(SIGALRM, leave) != SIG_ERR);
    int got = sigsetjmp(away, 1);
    if (!got) {
        CHECK(ualarm(3000, 0) == 0);
        recv(ends[0], bytes, 8, 0);
        CHECK(!"it jumps");
    }
    CHECK(send(ends[1], "x", 1, 0) == 1 && recv(ends[0], bytes, 8, 0) == 1);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(server) == 0);
}

// Several threads wait for the same socket, and only the one that a signal is sent to ends.
enum { WAITERS = 4 };

static struct waiter {
    pthread_t thread;
    int descriptor;
    atomic_bool begun, over;
    long result;
    int error;
} waiters[WAITERS];

static void *wait_for_one(void *arg)
{
    struct waiter *self = arg;
    char byte;
    self->begun = true;
    self->result = recv(self->descriptor, &byte, 1, 0);
    self->error = errno;
    self->over = true;
    return NULL;
}

static void test_several(int family, int type)
{
    int receives = bound(family, type == SOCK_DGRAM ? type : SOCK_STREAM), ends[2];
    struct sigaction action = {.sa_handler = note};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    if (type == SOCK_STREAM) {
        CHECK(listen(receives, 1) == 0);
        connected(receives, ends);
    } else {
        ends[1] = receives;
        ends[0] = socket(family, type, 0);
        CHECK(connect(ends[0], &there.any, size) == 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){.descriptor = ends[1]};
        CHECK(pthread_create(&waiters[i].thread, NULL, wait_for_one, &waiters[i]) == 0);
        while (!waiters[i].begun)
            usleep(100);
    }
    for (int i = 0; i < 2; i++) { // one that has the turn, one that waits for it
        while (!waiters[i].over) {
            CHECK(pthread_kill(waiters[i].thread, SIGUSR1) == 0);
            usleep(1000);
        }
        CHECK(pthread_join(waiters[i].thread, NULL) == 0);
        CHECK(waiters[i].result == -1 && waiters[i].error == EINTR);
    }
    CHECK(!waiters[2].over && !waiters[3].over);
    for (int i = 2; i < WAITERS; i++)
        CHECK(send(ends[0], "x", 1, 0) == 1);
    for (int i = 2; i < WAITERS; i++)
        CHECK(pthread_join(waiters[i].thread, NULL) == 0 && waiters[i].result == 1);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && (type == SOCK_DGRAM || close(receives) == 0));
}

// A thread that waits in a call is cancelled; what it holds meanwhile is given back.
static void *accept_one(void *arg)
{
    struct waiter *self = arg;
    self->begun = true;
    accept(self->descriptor, NULL, NULL);
    return NULL;
}

static void cancel(int descriptor, void *(*function)(void *arg))
{
    struct waiter one = {.descriptor = descriptor};
    void *result;
    CHECK(pthread_create(&one.thread, NULL, function, &one) == 0);
    while (!one.begun)
        usleep(100);
    usleep(1000);
    CHECK(pthread_cancel(one.thread) == 0 && pthread_join(one.thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
}

static void test_cancelled(int family)
{
    int server = listener(family), ends[2], before, after;
    char byte;
    connected(server, ends);
    CHECK((before = dup(0)) >= 0 && close(before) == 0);
    cancel(ends[0], wait_for_one);
    cancel(server, accept_one);
    CHECK((after = dup(0)) == before && close(after) == 0);
    CHECK(send(ends[1], "x", 1, 0) == 1 && recv(ends[0], &byte, 1, 0) == 1);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(server) == 0);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_UNIX};
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    for (unsigned i = 0; i < 2; i++) {
        test_interrupted(families[i]);
        test_restarted(families[i]);
        test_limited(families[i]);
        test_connect(families[i]);
        test_jump(families[i]);
        test_several(families[i], SOCK_STREAM);
        test_several(families[i], SOCK_DGRAM);
        test_cancelled(families[i]);
    }
    return passed();
}
