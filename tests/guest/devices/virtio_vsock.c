// Sockets to the host over the virtio socket device, by <baremetal/vsock.h>: both ways, credit, and ends.
// SPDX-License-Identifier: MIT
// @link virtio_vsock
// @script virtio_vsock.py
// @variants picolibc newlib-checked
#include <baremetal/error.h>
#include <baremetal/socket_ops.h>
#include <baremetal/vsock.h>
#include <poll.h>
#include <unistd.h>

#include "check.h"

enum { ECHO = 5000, MANY = 6000, NOBODY = 6001, SILENT = 6002, NARROW = 6003, LAST = 6004, SIZE = 1 << 20 };

static unsigned char buffer[100000];

// What both sides expect at a place of the stream.
static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static void echo(int listener)
{
    struct bm_vsock_address peer;
    int stream = bm_vsock_accept(listener, &peer);
    CHECK(stream >= 0 && peer.family == BM_AF_VSOCK && peer.cid == BM_VSOCK_HOST && peer.port == 1234);
    ssize_t got;
    while ((got = read(stream, buffer, sizeof buffer)) > 0)
        CHECK(write(stream, buffer, (size_t)got) == got);
    CHECK(got == 0);
    struct pollfd poll_of = {.fd = stream, .events = POLLIN};
    CHECK(poll(&poll_of, 1, 0) == 1 && poll_of.revents & POLLIN);
    CHECK(write(stream, "done", 4) == 4);
    CHECK(close(stream) == 0);
}

static void receive_many(void)
{
    int stream = bm_vsock_connect(BM_VSOCK_HOST, MANY);
    CHECK(stream >= 0);
    size_t done = 0;
    while (done < SIZE) {
        ssize_t got = read(stream, buffer, 1 + done % sizeof buffer);
        CHECK(got > 0);
        for (ssize_t i = 0; i < got; i++)
            CHECK(buffer[i] == byte_at(done + (size_t)i));
        done += (size_t)got;
    }
    CHECK(read(stream, buffer, 1) == 0);
    CHECK(bm_vsock_shutdown(stream, BM_SHUT_WR) == 0);
    CHECK_ERRNO(write(stream, "x", 1), EPIPE);
    CHECK(close(stream) == 0);
}

static void send_many(unsigned port)
{
    int stream = bm_vsock_connect(BM_VSOCK_HOST, port);
    CHECK(stream >= 0);
    for (size_t done = 0; done < SIZE;) {
        size_t part = SIZE - done < sizeof buffer ? SIZE - done : sizeof buffer;
        for (size_t i = 0; i < part; i++)
            buffer[i] = byte_at(done + i);
        CHECK(write(stream, buffer, part) == (ssize_t)part);
        done += part;
    }
    if (port != LAST) // of that one the end of the program takes care
        CHECK(close(stream) == 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    CHECK(bm_vsock_cid() == 42);
    CHECK(bm_vsock_socket(BM_SOCK_DGRAM, 0) == -BM_ESOCKTNOSUPPORT);
    CHECK(bm_vsock_socket(BM_SOCK_STREAM, 1) == -BM_EPROTONOSUPPORT);
    CHECK(bm_vsock_accept(0, NULL) == -BM_ENOTSOCK);
    int listener = bm_vsock_listen(ECHO);
    CHECK(listener >= 0 && bm_vsock_port(listener) == ECHO);
    CHECK(bm_vsock_listen(ECHO) == -BM_EADDRINUSE);
    int any = bm_vsock_listen(BM_VSOCK_ANY);
    CHECK(any >= 0 && bm_vsock_port(any) >= 1024);
    CHECK(close(any) == 0);
    puts("ready");
    echo(listener);
    echo(listener);
    CHECK(close(listener) == 0);
    receive_many();
    CHECK(bm_vsock_connect(BM_VSOCK_HOST, NOBODY) == -BM_ECONNRESET);
    CHECK(bm_vsock_connect(BM_VSOCK_LOCAL, 1) == -BM_ENODEV);
    if (argc > 1) // it takes two seconds
        CHECK(bm_vsock_connect(BM_VSOCK_HOST, SILENT) == -BM_ETIMEDOUT);
    send_many(NARROW);
    send_many(LAST);
    return passed();
}
