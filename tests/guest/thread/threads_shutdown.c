// shutdown and close of sockets while other threads wait in them. The source also runs on Linux.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked musl
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

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <threads.h>
#include <unistd.h>

enum { ROUNDS = 50, PIECE = 300000 };

// What a thread does with a descriptor, and what came of it.
struct call {
    int descriptor;
    int (*function)(struct call *);
    thrd_t thread;
    atomic_bool begun;
    long result;
    int error;
};

static int run(void *arg)
{
    struct call *call = arg;
    call->begun = true;
    errno = 0;
    call->function(call);
    call->error = errno;
    return 0;
}

// Begins it; on one core it waits when this returns, on several it may be about to.
static void begin(struct call *call, int (*function)(struct call *), int descriptor)
{
    *call = (struct call){.descriptor = descriptor, .function = function};
    CHECK(thrd_create(&call->thread, run, call) == thrd_success);
    while (!call->begun)
        thrd_yield();
    for (int i = 0; i < 10; i++)
        thrd_yield();
}

static void end(struct call *call)
{
    CHECK(thrd_join(call->thread, NULL) == thrd_success);
}

static int receiving(struct call *call)
{
    char byte;
    call->result = recv(call->descriptor, &byte, 1, 0);
    return 0;
}

static int accepting(struct call *call)
{
    call->result = accept(call->descriptor, NULL, NULL);
    return 0;
}

// Sends until it fails.
static int sending(struct call *call)
{
    static char piece[PIECE];
    long sent;
    while ((sent = send(call->descriptor, piece, sizeof piece, MSG_NOSIGNAL)) > 0)
        call->result += sent;
    return 0;
}

// Sends one piece of a letter of its own.
static int sending_once(struct call *call)
{
    static atomic_int letter = 'a';
    char *piece = malloc(PIECE);
    CHECK(piece);
    memset(piece, letter++, PIECE);
    call->result = send(call->descriptor, piece, PIECE, MSG_NOSIGNAL);
    free(piece);
    return 0;
}

static struct sockaddr_in address;

static int listener(void)
{
    int made = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(made, (struct sockaddr *)&address, size) == 0 && listen(made, 5) == 0);
    CHECK(getsockname(made, (struct sockaddr *)&address, &size) == 0);
    return made;
}

static void connected(int server, int ends[2])
{
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(ends[0], (struct sockaddr *)&address, sizeof address) == 0);
    ends[1] = accept(server, NULL, NULL);
    CHECK(ends[1] >= 0);
}

static void close_both(const int ends[2])
{
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void check_receivers(int server, int how)
{
    struct call calls[2];
    char byte;
    int ends[2];
    connected(server, ends);
    begin(&calls[0], receiving, ends[0]);
    begin(&calls[1], receiving, ends[0]);
    CHECK(shutdown(ends[0], how) == 0);
    end(&calls[0]);
    end(&calls[1]);
    CHECK(calls[0].result == 0 && calls[1].result == 0);
    CHECK(recv(ends[0], &byte, 1, 0) == 0);
    struct pollfd look = {ends[0], POLLIN, 0};
    CHECK(poll(&look, 1, 0) == 1 && (look.revents & POLLIN));
    if (how == SHUT_RD) {
        CHECK(send(ends[0], "x", 1, MSG_NOSIGNAL) == 1 && recv(ends[1], &byte, 1, 0) == 1);
        CHECK(close(ends[0]) == 0);
    } else {
        CHECK_ERRNO(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE);
        CHECK(close(ends[0]) == 0 && recv(ends[1], &byte, 1, 0) == 0);
    }
    CHECK(close(ends[1]) == 0);
}

// What has arrived before is given.
static void check_arrived(int server)
{
    char bytes[8];
    int ends[2];
    connected(server, ends);
    CHECK(send(ends[1], "there", 5, 0) == 5);
    struct pollfd look = {ends[0], POLLIN, 0};
    CHECK(poll(&look, 1, 5000) == 1);
    CHECK(shutdown(ends[0], SHUT_RDWR) == 0);
    CHECK(recv(ends[0], bytes, 2, 0) == 2 && recv(ends[0], bytes, 8, 0) == 3 &&
          recv(ends[0], bytes, 8, 0) == 0);
    close_both(ends);
}

static long drain(int descriptor)
{
    static char bytes[65536];
    long all = 0, got;
    while ((got = recv(descriptor, bytes, sizeof bytes, 0)) > 0)
        all += got;
    CHECK(got == 0);
    return all;
}

static void check_sender(int server, int how)
{
    struct call call;
    int ends[2];
    connected(server, ends);
    begin(&call, sending, ends[0]);
    CHECK(shutdown(ends[0], how) == 0);
    end(&call);
    CHECK(call.error == EPIPE);
    CHECK(drain(ends[1]) == call.result);
    close_both(ends);
}

static void check_senders(int server)
{
    struct call calls[3];
    int ends[2];
    connected(server, ends);
    for (int i = 0; i < 3; i++)
        begin(&calls[i], sending_once, ends[0]);
    static char all[3 * PIECE];
    CHECK(recv(ends[1], all, sizeof all, MSG_WAITALL) == sizeof all);
    for (int i = 0; i < 3; i++) {
        end(&calls[i]);
        CHECK(calls[i].result == PIECE);
    }
    close_both(ends);
}

static void check_acceptors(void)
{
    struct call calls[2];
    char byte;
    int server = listener(), client = socket(AF_INET, SOCK_STREAM, 0);
    begin(&calls[0], accepting, server);
    begin(&calls[1], accepting, server);
    CHECK(shutdown(server, SHUT_RDWR) == 0);
    end(&calls[0]);
    end(&calls[1]);
    CHECK(calls[0].result == -1 && calls[0].error == EINVAL);
    CHECK(calls[1].result == -1 && calls[1].error == EINVAL);
    CHECK_ERRNO(accept(server, NULL, NULL), EINVAL);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    close_both((int[]){server, client});

    server = listener(); // one that waits to be accepted is reset
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(shutdown(server, SHUT_RD) == 0);
    CHECK_ERRNO(accept(server, NULL, NULL), EINVAL);
    CHECK_ERRNO(recv(client, &byte, 1, 0), ECONNRESET);
    close_both((int[]){server, client});
}

// Datagrams: Linux wakes who waits, and says that there is no peer where there is none.
static void check_datagrams(void)
{
    struct call call;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    char byte;
    int one = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(one, (struct sockaddr *)&here, size) == 0);
    CHECK(getsockname(one, (struct sockaddr *)&here, &size) == 0);
    begin(&call, receiving, one);
    CHECK_ERRNO(shutdown(one, SHUT_RD), ENOTCONN);
    end(&call);
    CHECK(call.result == 0);
    CHECK_ERRNO(recv(one, &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK(close(one) == 0);

    one = socket(AF_INET, SOCK_DGRAM, 0); // what has arrived before is given
    CHECK(bind(one, (struct sockaddr *)&here, size) == 0);
    CHECK(connect(one, (struct sockaddr *)&here, size) == 0);
    CHECK(send(one, "x", 1, 0) == 1);
    struct pollfd look = {one, POLLIN, 0};
    CHECK(poll(&look, 1, 5000) == 1 && shutdown(one, SHUT_RD) == 0);
    CHECK(recv(one, &byte, 1, 0) == 1 && byte == 'x');
    CHECK(recv(one, &byte, 1, 0) == 0);
    CHECK(shutdown(one, SHUT_WR) == 0);
    CHECK_ERRNO(send(one, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(close(one) == 0);
}

// The call that waits keeps the socket, and goes on.
static void check_close(int server)
{
    struct call call;
    int ends[2];
    connected(server, ends);
    begin(&call, receiving, ends[0]);
    CHECK(close(ends[0]) == 0);
    if (send(ends[1], "x", 1, MSG_NOSIGNAL) == 1 && call.result == 0)
        end(&call);
    CHECK(call.result == 1 || (call.result == -1 && call.error == EBADF)); // closed before it began
    CHECK(close(ends[1]) == 0);
}

// One end of each connection is kept open behind its orderly end, while others make the machine forget it.
static void check_forgotten(int server)
{
    enum { KEPT = 20, OTHERS = 500, LATER = 40 };
    int kept[KEPT][2], later[LATER][2], ends[2];
    char byte;
    for (int i = 0; i < KEPT; i++) {
        connected(server, kept[i]);
        CHECK(shutdown(kept[i][0], SHUT_WR) == 0 && recv(kept[i][1], &byte, 1, 0) == 0);
        CHECK(send(kept[i][1], "x", 1, 0) == 1 && close(kept[i][1]) == 0);
        CHECK(i % 2 || (recv(kept[i][0], &byte, 1, 0) == 1 && recv(kept[i][0], &byte, 1, 0) == 0));
    }
    for (int i = 0; i < OTHERS; i++) {
        connected(server, ends);
        CHECK(close(ends[0]) == 0 && recv(ends[1], &byte, 1, 0) == 0 && close(ends[1]) == 0);
    }
    for (int i = 0; i < LATER; i++) // in the memory of those that were forgotten
        connected(server, later[i]);
    for (int i = 0; i < KEPT; i++) {
        int error = -1;
        socklen_t size = sizeof error;
        CHECK(i % 2 == 0 || recv(kept[i][0], &byte, 1, 0) == 1);
        CHECK(recv(kept[i][0], &byte, 1, 0) == 0);
        CHECK(getsockopt(kept[i][0], SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
        CHECK_ERRNO(send(kept[i][0], "x", 1, MSG_NOSIGNAL), EPIPE);
        CHECK(close(kept[i][0]) == 0);
    }
    for (int i = 0; i < LATER; i++) {
        CHECK(send(later[i][0], "x", 1, 0) == 1 && recv(later[i][1], &byte, 1, 0) == 1);
        close_both(later[i]);
    }
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        int server = listener();
        check_receivers(server, SHUT_RD);
        check_receivers(server, SHUT_RDWR);
        check_arrived(server);
        check_sender(server, SHUT_WR);
        check_sender(server, SHUT_RDWR);
        check_close(server);
        check_datagrams();
        CHECK(close(server) == 0);
        check_acceptors();
    }
    int server = listener();
    check_senders(server);
    check_forgotten(server);
    CHECK(close(server) == 0);
    return passed();
}
