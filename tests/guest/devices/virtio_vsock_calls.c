// Sockets to the host by Linux' calls: names, options, errors, events, connections that do not block,
// threads.
// SPDX-License-Identifier: MIT
// @link virtio_vsock
// @script virtio_vsock.py
// @variants musl
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

// <linux/vm_sockets.h>, which musl does not have.
struct sockaddr_vm {
    sa_family_t svm_family;
    unsigned short svm_reserved1;
    unsigned svm_port, svm_cid;
    unsigned char svm_flags, svm_zero[3];
};
enum { CID_LOCAL = 1, CID_HOST = 2, BUFFER_SIZE = 0, BUFFER_MAX = 2, CONNECT_TIMEOUT = 8 };
#define ANY (-1u)
enum { ECHO = 5000, FIRST = 6000, NOBODY = 6001, SILENT = 6002, STEPS = 6003, BIG = 6004, THREADS = 4 };

static const struct sockaddr *address(unsigned cid, unsigned port)
{
    static _Thread_local struct sockaddr_vm made;
    made = (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
    return (const struct sockaddr *)&made;
}

enum { ADDRESS = sizeof(struct sockaddr_vm) };

static int option(int descriptor, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    CHECK(getsockopt(descriptor, level, name, &value, &size) == 0);
    return value;
}

static int events(int descriptor)
{
    struct pollfd one = {.fd = descriptor, .events = POLLIN | POLLOUT | POLLRDHUP};
    return poll(&one, 1, 0) == 1 ? one.revents : 0;
}

static void check_names_and_errors(void)
{
    char byte = 0;
    struct sockaddr_vm name;
    socklen_t size = sizeof name;
    CHECK_ERRNO(socket(AF_VSOCK, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_VSOCK, SOCK_STREAM, 6), EPROTONOSUPPORT);
    int made = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(made >= 0 && fcntl(made, F_GETFD) == FD_CLOEXEC);
    CHECK(option(made, SOL_SOCKET, SO_DOMAIN) == AF_VSOCK &&
          option(made, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    CHECK(getsockname(made, (void *)&name, &size) == 0 && size == sizeof name && name.svm_port == ANY);
    CHECK_ERRNO(getpeername(made, (void *)&name, &size), ENOTCONN);
    CHECK_ERRNO(recv(made, &byte, 1, 0), ENOTCONN);
    CHECK_ERRNO(send(made, &byte, 1, 0), ENOTCONN);
    CHECK_ERRNO(shutdown(made, SHUT_WR), ENOTCONN);
    CHECK_ERRNO(listen(made, 1), EINVAL);
    CHECK_ERRNO(accept(made, NULL, NULL), EINVAL);
    CHECK_ERRNO(connect(made, address(CID_HOST, 1), 8), EFAULT);
    CHECK_ERRNO(bind(made, address(77, ANY), ADDRESS), EADDRNOTAVAIL);
    CHECK(bind(made, address(42, ANY), ADDRESS) == 0);
    CHECK_ERRNO(bind(made, address(ANY, 9), ADDRESS), EINVAL);
    CHECK(getsockname(made, (void *)&name, &size) == 0 && name.svm_cid == 42 && name.svm_port >= 1024);
    CHECK_ERRNO(connect(made, address(CID_LOCAL, 1), ADDRESS), ENODEV);
    CHECK_ERRNO(connect(made, address(42, 1), ADDRESS), ENODEV);
    CHECK_ERRNO(connect(made, address(CID_HOST, NOBODY), ADDRESS), ECONNRESET);
    struct timeval soon = {.tv_usec = 100000};
    CHECK(setsockopt(made, AF_VSOCK, CONNECT_TIMEOUT, &soon, sizeof soon) == 0);
    CHECK_ERRNO(connect(made, address(CID_HOST, SILENT), ADDRESS), ETIMEDOUT);
    CHECK(close(made) == 0);
}

// The host sends "first", then "second" when it is told, and ends.
static void check_steps(void)
{
    char text[16];
    int stream = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK, 0);
    uint64_t room = 5000, most = 4000;
    CHECK(setsockopt(stream, AF_VSOCK, BUFFER_SIZE, &room, sizeof room) == 0);
    CHECK(setsockopt(stream, AF_VSOCK, BUFFER_MAX, &most, sizeof most) == 0);
    socklen_t size = sizeof room;
    CHECK(getsockopt(stream, AF_VSOCK, BUFFER_SIZE, &room, &size) == 0 && room == 4000);
    CHECK_ERRNO(connect(stream, address(CID_HOST, STEPS), ADDRESS), EINPROGRESS);
    struct pollfd one = {.fd = stream, .events = POLLOUT};
    CHECK(poll(&one, 1, -1) == 1 && one.revents == POLLOUT && option(stream, SOL_SOCKET, SO_ERROR) == 0);
    CHECK_ERRNO(connect(stream, address(CID_HOST, STEPS), ADDRESS), EISCONN);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = stream};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, stream, &event) == 0);
    CHECK_ERRNO(recv(stream, text, 1, 0), EAGAIN);
    CHECK(send(stream, "1", 1, 0) == 1);
    CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.events == EPOLLIN);
    CHECK(fcntl(stream, F_SETFL, 0) == 0);
    CHECK(recv(stream, text, 5, MSG_PEEK | MSG_WAITALL) <= 5);
    CHECK(recv(stream, text, 5, MSG_WAITALL) == 5 && memcmp(text, "first", 5) == 0);
    CHECK_ERRNO(recv(stream, text, 1, MSG_DONTWAIT), EAGAIN);
    struct timeval soon = {.tv_usec = 10000};
    CHECK(setsockopt(stream, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    CHECK_ERRNO(recv(stream, text, 1, 0), EAGAIN);
    soon.tv_usec = 0;
    CHECK(setsockopt(stream, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    CHECK(send(stream, "2", 1, 0) == 1);
    struct iovec pieces[2] = {{text, 2}, {text + 8, 8}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    CHECK(recvmsg(stream, &message, MSG_WAITALL) == 6 && memcmp(text + 8, "cond", 4) == 0); // then its end
    CHECK(recv(stream, text, 1, 0) == 0 && events(stream) & POLLRDHUP);
    int waiting = -1;
    CHECK(ioctl(stream, FIONREAD, &waiting) == 0 && waiting == 0);
    CHECK(shutdown(stream, SHUT_WR) == 0);
    CHECK_ERRNO(send(stream, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(close(epoll) == 0 && close(stream) == 0);
}

// A socket that does not block takes what there is room for.
static void check_room(void)
{
    static char bytes[300000];
    int stream = socket(AF_VSOCK, SOCK_STREAM, 0);
    CHECK(connect(stream, address(CID_HOST, BIG), ADDRESS) == 0);
    size_t done = 0;
    while (done < sizeof bytes) {
        ssize_t sent = send(stream, bytes + done, sizeof bytes - done, MSG_DONTWAIT);
        if (sent < 0) {
            CHECK(errno == EAGAIN);
            struct pollfd one = {.fd = stream, .events = POLLOUT};
            CHECK(poll(&one, 1, -1) == 1);
        } else {
            done += (size_t)sent;
        }
    }
    CHECK(close(stream) == 0);
}

// Echoes until the end.
static void *serve(void *arg)
{
    static _Thread_local char bytes[30000];
    int stream = (int)(intptr_t)arg;
    ssize_t got;
    while ((got = recv(stream, bytes, sizeof bytes, 0)) > 0)
        CHECK(send(stream, bytes, (size_t)got, 0) == got);
    CHECK(got == 0 && close(stream) == 0);
    return NULL;
}

static void check_threads(void)
{
    pthread_t threads[THREADS];
    int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
    CHECK(bind(listener, address(ANY, ECHO), ADDRESS) == 0 && listen(listener, THREADS) == 0);
    int again = socket(AF_VSOCK, SOCK_STREAM, 0);
    CHECK_ERRNO(bind(again, address(ANY, ECHO), ADDRESS), EADDRINUSE);
    CHECK(close(again) == 0 && option(listener, SOL_SOCKET, SO_ACCEPTCONN) == 1);
    puts("listening");
    for (int i = 0; i < THREADS; i++) {
        struct sockaddr_vm peer;
        socklen_t size = sizeof peer;
        int stream = accept4(listener, (void *)&peer, &size, SOCK_CLOEXEC);
        CHECK(stream >= 0 && size == sizeof peer && peer.svm_cid == CID_HOST);
        CHECK(pthread_create(&threads[i], NULL, serve, (void *)(intptr_t)stream) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(close(listener) == 0);
}

int main(void)
{
    puts("ready");
    check_names_and_errors();
    check_steps();
    check_room();
    check_threads();
    return passed();
}
