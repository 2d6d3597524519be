// TCP from the guest: connect, refusals, half-close, select, non-blocking; net_client.py is the peer.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @link net virtio_net virtio_rng
// @script net_client.py

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_in address_of(const char *text, unsigned short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    CHECK(inet_pton(AF_INET, text, &address.sin_addr) == 1);
    return address;
}

// Sends lines to the host's echo and reads them back.
static void check_echo(const char *host)
{
    char answer[64] = {0};
    struct sockaddr_in there = address_of(host, 7), here;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0);
    CHECK(connect(client, (struct sockaddr *)&there, sizeof(there)) == 0);
    socklen_t length = sizeof(here);
    CHECK(getsockname(client, (struct sockaddr *)&here, &length) == 0 && here.sin_port != 0);
    CHECK(getpeername(client, (struct sockaddr *)&here, &length) == 0 && ntohs(here.sin_port) == 7);
    CHECK(write(client, "by write", 8) == 8);
    CHECK(recv(client, answer, 8, MSG_WAITALL) == 8 && memcmp(answer, "by write", 8) == 0);
    CHECK(send(client, "last words", 10, 0) == 10);
    CHECK(shutdown(client, SHUT_WR) == 0);
    size_t got = 0;
    ssize_t size;
    while ((size = read(client, answer + got, sizeof(answer) - got)) > 0) {
        got += (size_t)size;
    }
    CHECK(size == 0);
    CHECK(got == 10 && memcmp(answer, "last words", 10) == 0);
    CHECK(close(client) == 0);
}

static void check_refusal(const char *host)
{
    struct sockaddr_in there = address_of(host, 9);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&there, sizeof(there)), ECONNREFUSED);
    CHECK(close(client) == 0);
}

// A non-blocking connect is completed by poll, reads by select.
static void check_non_blocking(const char *host)
{
    struct sockaddr_in there = address_of(host, 7);
    char byte = 0;
    int error = -1, client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fcntl(client, F_SETFL, fcntl(client, F_GETFL) | O_NONBLOCK) == 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&there, sizeof(there)), EINPROGRESS);
    struct pollfd watched = {.fd = client, .events = POLLOUT};
    CHECK(poll(&watched, 1, 10000) == 1 && (watched.revents & POLLOUT));
    socklen_t length = sizeof(error);
    CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    CHECK_ERRNO(read(client, &byte, 1), EAGAIN);
    CHECK(send(client, "x", 1, 0) == 1);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(client, &readable);
    struct timeval limit = {10, 0};
    CHECK(select(client + 1, &readable, NULL, NULL, &limit) == 1 && FD_ISSET(client, &readable));
    CHECK(read(client, &byte, 1) == 1 && byte == 'x');
    FD_ZERO(&readable);
    FD_SET(client, &readable);
    limit = (struct timeval){0, 20000};
    CHECK(select(client + 1, &readable, NULL, NULL, &limit) == 0);
    CHECK(close(client) == 0);
}

// The host closes with a reset; then with unread data of ours.
static void check_reset(const char *host)
{
    struct sockaddr_in there = address_of(host, 11);
    char byte;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&there, sizeof(there)) == 0);
    CHECK_ERRNO(recv(client, &byte, 1, 0), ECONNRESET);
    CHECK(close(client) == 0);
}

static void check_options(void)
{
    int client = socket(AF_INET, SOCK_STREAM, 0), on = 1, value = 0;
    socklen_t length = sizeof(value);
    CHECK(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    CHECK(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, &length) == 0 && value != 0);
    CHECK(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
    CHECK(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0);
    struct timeval limit = {0, 100000};
    CHECK(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(close(client) == 0);
    CHECK_ERRNO(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), EBADF);
    CHECK_ERRNO(setsockopt(1, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), ENOTSOCK);
#ifdef __linux__ // 64 is no flag there
    CHECK_ERRNO(socket(AF_INET, 77, 0), EINVAL);
#else
    CHECK_ERRNO(socket(AF_INET, 77, 0), EPROTOTYPE);
#endif
}

// Descriptors of sockets and files share one space of small numbers.
static void check_descriptors(void)
{
    int first = socket(AF_INET, SOCK_STREAM, 0);
    int second = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(first == 3 && second == 4);
    CHECK(close(first) == 0);
    int copy = dup(second);
    CHECK(copy == 3);
    CHECK(close(second) == 0 && close(copy) == 0);
    CHECK_ERRNO(close(copy), EBADF);
}

// Many connections one after the other leave nothing behind.
static void check_many(const char *host)
{
    for (int i = 0; i < 300; i++) {
        struct sockaddr_in there = address_of(host, 7);
        char byte = 0;
        int client = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(client >= 0);
        CHECK(connect(client, (struct sockaddr *)&there, sizeof(there)) == 0);
        CHECK(send(client, "y", 1, 0) == 1 && recv(client, &byte, 1, 0) == 1 && byte == 'y');
        CHECK(close(client) == 0);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    check_options();
    check_descriptors();
    check_echo(argv[1]);
    check_refusal(argv[1]);
    check_non_blocking(argv[1]);
    check_reset(argv[1]);
    check_many(argv[1]);
    return passed();
}
