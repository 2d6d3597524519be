// Sockets without the C library's calls (baremetal/socket.h), within the machine itself: results, no errno.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked musl
// @link net
// @memory 32
// @run alone
// @run several
// @smp 2,maxcpus=2

#include <baremetal/error.h>
#include <baremetal/socket.h>
#include <baremetal/time.h>
#include <baremetal/work.h>

#include "check.h"

enum { UNTOUCHED = 12345, MILLISECOND = 1000000 };

static uint16_t swapped(unsigned port)
{
    return __builtin_bswap16((uint16_t)port);
}

static uint32_t size_of(int family)
{
    return family == BM_AF_INET ? sizeof(struct bm_socket_address4) : sizeof(struct bm_socket_address6);
}

// 127.0.0.1 or ::1.
static union bm_socket_address loopback(int family, unsigned port)
{
    union bm_socket_address address = {.ip6 = {0}};
    address.family = (uint16_t)family;
    if (family == BM_AF_INET) {
        address.ip4.port = swapped(port);
        address.ip4.address = __builtin_bswap32(0x7f000001);
    } else {
        address.ip6.port = swapped(port);
        address.ip6.address[15] = 1;
    }
    return address;
}

static struct bm_socket *opened(int family, int type)
{
    struct bm_socket *socket;
    CHECK(bm_socket_open(family, type, 0, &socket) == 0);
    return socket;
}

static struct bm_socket *bound(int family, int type, unsigned port)
{
    union bm_socket_address here = loopback(family, port);
    struct bm_socket *socket = opened(family, type);
    CHECK(bm_socket_bind(socket, &here, size_of(family)) == 0);
    return socket;
}

static uint64_t soon(unsigned milliseconds)
{
    return bm_time_monotonic() + (uint64_t)milliseconds * MILLISECOND;
}

static int option_of(struct bm_socket *socket, int level, int option)
{
    int value = -1;
    uint32_t size = sizeof(value);
    CHECK(bm_socket_option_get(socket, level, option, &value, &size) == 0 && size == sizeof(value));
    return value;
}

static void check_opening(void)
{
    static struct bm_socket *sockets[4096];
    struct bm_socket *none = (void *)&sockets;
    int count = 0, result;
    CHECK(bm_socket_open(1, BM_SOCK_STREAM, 0, &none) == -BM_EAFNOSUPPORT);
    CHECK(bm_socket_open(BM_AF_INET, 9, 0, &none) == -BM_EPROTOTYPE);
    CHECK(bm_socket_open(BM_AF_INET, BM_SOCK_STREAM, BM_IPPROTO_UDP, &none) == -BM_EPROTONOSUPPORT);
    CHECK(bm_socket_open(BM_AF_INET6, BM_SOCK_DGRAM, BM_IPPROTO_TCP, &none) == -BM_EPROTONOSUPPORT);
    CHECK(bm_socket_open(BM_AF_INET, BM_SOCK_RAW, 256, &none) == -BM_EPROTONOSUPPORT);
    CHECK(none == (void *)&sockets);
    while ((result = bm_socket_open(BM_AF_INET, BM_SOCK_DGRAM, 0, &sockets[count])) == 0)
        count++;
    CHECK(result == -BM_ENFILE && count == 2048);
    while (count)
        CHECK(bm_socket_close(sockets[--count]) == 0);
}

// Both ends of a connection: the first connects without blocking.
static void connected(struct bm_socket *server, int family, unsigned port, struct bm_socket *ends[2])
{
    union bm_socket_address there = loopback(family, port), from, name;
    uint32_t size = sizeof(from), name_size = sizeof(name);
    ends[0] = opened(family, BM_SOCK_STREAM | BM_SOCK_NONBLOCK);
    CHECK(bm_socket_connect(ends[0], &there, size_of(family)) == -BM_EINPROGRESS);
    int again = bm_socket_connect(ends[0], &there, size_of(family));
    CHECK(again == 0 || (again == -BM_EALREADY && bm_core_count() > 1)); // there at once, unless others serve
    CHECK(bm_socket_poll(ends[0], BM_POLLOUT, soon(5000)) == BM_POLLOUT);
    CHECK(option_of(ends[0], BM_SOL_SOCKET, BM_SO_ERROR) == 0);
    CHECK(bm_socket_connect(ends[0], &there, size_of(family)) == -BM_EISCONN);
    CHECK(bm_socket_poll(server, BM_POLLIN, soon(5000)) == BM_POLLIN);
    CHECK(bm_socket_accept(server, &from, &size, 0, &ends[1]) == 0);
    CHECK(size == size_of(family) && from.family == family);
    CHECK(bm_socket_name(ends[0], &name, &name_size) == 0 && name_size == size);
    CHECK(name.ip4.port == from.ip4.port); // the same place in both families
    name_size = sizeof(name);
    CHECK(bm_socket_peer(ends[0], &name, &name_size) == 0 && name.ip4.port == swapped(port));
}

static void close_both(struct bm_socket *ends[2])
{
    CHECK(bm_socket_close(ends[0]) == 0);
    CHECK(bm_socket_close(ends[1]) == 0);
}

static void check_data(struct bm_socket *ends[2])
{
    char buffer[64];
    CHECK(bm_socket_receive(ends[0], buffer, 1, 0, NULL, NULL) == -BM_EAGAIN);
    CHECK(bm_socket_receive(ends[1], buffer, 1, BM_MSG_DONTWAIT, NULL, NULL) == -BM_EAGAIN);
    CHECK(bm_socket_send(ends[0], "hello", 5, BM_MSG_OOB, NULL, 0) == -BM_EOPNOTSUPP);
    CHECK(bm_socket_send(ends[0], "hello, end", 10, 0, NULL, 0) == 10);
    CHECK(bm_socket_poll(ends[1], BM_POLLIN, soon(5000)) == BM_POLLIN);
    CHECK(bm_socket_available(ends[1]) == 10);
    CHECK(bm_socket_receive(ends[1], buffer, 5, BM_MSG_PEEK, NULL, NULL) == 5);
    CHECK(bm_socket_receive(ends[1], buffer, sizeof(buffer), 0, NULL, NULL) == 10 &&
          memcmp(buffer, "hello, end", 10) == 0);
    struct bm_file_piece pieces[3] = {{"one ", 4}, {NULL, 0}, {"two", 3}},
                         holes[2] = {{buffer, 3}, {buffer + 32, 32}};
    struct bm_socket_message out = {.pieces = pieces, .count = 3}, in = {.pieces = holes, .count = 2};
    CHECK(bm_socket_send_message(ends[1], &out, 0) == 7);
    CHECK(bm_socket_poll(ends[0], BM_POLLIN, soon(5000)) == BM_POLLIN);
    CHECK(bm_socket_receive_message(ends[0], &in, 0) == 7);
    CHECK(memcmp(buffer, "one", 3) == 0 && memcmp(buffer + 32, " two", 4) == 0);
    out.count = 1025;
    CHECK(bm_socket_send_message(ends[1], &out, 0) == -BM_EMSGSIZE);
    out = (struct bm_socket_message){.count = 1};
    CHECK(bm_socket_send_message(ends[1], &out, 0) == -BM_EINVAL);
}

// The other core sends while this one waits for ever.
static void send_late(void *arg)
{
    CHECK(bm_socket_send(arg, "late", 4, 0, NULL, 0) == 4);
}

static void check_waiting(struct bm_socket *ends[2])
{
    char buffer[8];
    struct bm_work work;
    uint64_t start = bm_time_monotonic();
    CHECK(bm_socket_poll(ends[1], BM_POLLIN, 0) == 0);
    CHECK(bm_socket_poll(ends[1], BM_POLLIN, soon(60)) == 0);
    CHECK(bm_time_monotonic() - start >= 60 * MILLISECOND);
    struct bm_socket_time limit = {0, 50000};
    CHECK(bm_socket_option_set(ends[1], BM_SOL_SOCKET, BM_SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    start = bm_time_monotonic();
    CHECK(bm_socket_receive(ends[1], buffer, 4, 0, NULL, NULL) == -BM_EAGAIN);
    CHECK(bm_time_monotonic() - start >= 49 * MILLISECOND);
    limit.microseconds = 0;
    CHECK(bm_socket_option_set(ends[1], BM_SOL_SOCKET, BM_SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    for (int i = 0; i < 20 && bm_core_count() > 1; i++) {
        bm_work_init(&work, send_late, ends[0]);
        bm_work_submit_on(1, &work);
        if (i & 1)
            CHECK(bm_socket_poll(ends[1], BM_POLLIN, UINT64_MAX) == BM_POLLIN);
        CHECK(bm_socket_receive(ends[1], buffer, 4, BM_MSG_WAITALL, NULL, NULL) == 4);
        bm_work_wait(&work);
    }
}

// Two receivers of one stream: each byte comes to one of them, and both see the end.
static struct {
    struct bm_socket *socket;
    uint32_t count[2], sum[2];
} shared;

static void receive_share(unsigned which, size_t size)
{
    unsigned char buffer[64];
    long got;
    while ((got = bm_socket_receive(shared.socket, buffer, size, 0, NULL, NULL)) > 0) {
        shared.count[which] += (uint32_t)got;
        for (long i = 0; i < got; i++)
            shared.sum[which] += buffer[i];
    }
    CHECK(got == 0);
}

static void receive_other_share(void *arg)
{
    (void)arg;
    receive_share(1, 5);
}

static void check_two_receivers(struct bm_socket *ends[2])
{
    static unsigned char data[60000];
    uint32_t sum = 0;
    struct bm_work work;
    for (unsigned i = 0; i < sizeof(data); i++)
        sum += data[i] = (unsigned char)(i * 31 >> 3);
    if (bm_core_count() < 2)
        return;
    memset(&shared, 0, sizeof(shared));
    shared.socket = ends[1];
    bm_work_init(&work, receive_other_share, NULL);
    bm_work_submit_on(1, &work);
    for (unsigned sent = 0; sent < sizeof(data); sent += 100) // small segments: many ends of buffers
        CHECK(bm_socket_send(ends[0], data + sent, 100, 0, NULL, 0) == 100);
    CHECK(bm_socket_shutdown(ends[0], BM_SHUT_WR) == 0);
    receive_share(0, 7);
    bm_work_wait(&work);
    CHECK(shared.count[0] + shared.count[1] == sizeof(data) && shared.sum[0] + shared.sum[1] == sum);
}

static void check_stream(int family, unsigned port)
{
    char buffer[8];
    struct bm_socket *server = bound(family, BM_SOCK_STREAM, port), *ends[2], *second;
    union bm_socket_address here = loopback(family, port);
    CHECK(bm_socket_accept(server, NULL, NULL, 0, ends) == -BM_EINVAL);
    CHECK(bm_socket_accept(server, NULL, NULL, BM_SOCK_NONBLOCK | 1, ends) == -BM_EINVAL);
    CHECK(bm_socket_listen(server, 5) == 0);
    CHECK(option_of(server, BM_SOL_SOCKET, BM_SO_ACCEPTCONN) == 1);
    CHECK(bm_socket_connect(server, &here, size_of(family)) == -BM_EOPNOTSUPP);
    CHECK(bm_socket_set_nonblocking(server, true) == 0);
    CHECK(bm_socket_accept(server, NULL, NULL, 0, ends) == -BM_EAGAIN);
    second = opened(family, BM_SOCK_STREAM);
    CHECK(bm_socket_bind(second, &here, size_of(family)) == -BM_EADDRINUSE);
    CHECK(bm_socket_close(second) == 0);
    connected(server, family, port, ends);
    check_data(ends);
    check_waiting(ends);
    CHECK(bm_socket_shutdown(ends[0], 7) == -BM_EINVAL);
    CHECK(bm_socket_shutdown(ends[0], BM_SHUT_WR) == 0);
    CHECK(bm_socket_send(ends[0], "x", 1, 0, NULL, 0) == -BM_EPIPE);
    CHECK(bm_socket_receive(ends[1], buffer, 1, 0, NULL, NULL) == 0); // the end, which stays
    CHECK(bm_socket_receive(ends[1], buffer, 1, 0, NULL, NULL) == 0);
    close_both(ends);

    connected(server, family, port, ends);
    CHECK(bm_socket_set_nonblocking(ends[0], false) == 0);
    check_two_receivers(ends);
    close_both(ends);

    // Connected while nobody asked, but by calling again.
    ends[0] = opened(family, BM_SOCK_STREAM | BM_SOCK_NONBLOCK);
    CHECK(bm_socket_connect(ends[0], &here, size_of(family)) == -BM_EINPROGRESS);
    CHECK(bm_socket_poll(ends[0], BM_POLLOUT, soon(5000)) == BM_POLLOUT);
    CHECK(bm_socket_connect(ends[0], &here, size_of(family)) == 0); // told once, as on Linux
    CHECK(bm_socket_connect(ends[0], &here, size_of(family)) == -BM_EISCONN);
    CHECK(bm_socket_receive(ends[0], buffer, 1, 0, NULL, NULL) == -BM_EAGAIN);
    CHECK(bm_socket_poll(server, BM_POLLIN, soon(5000)) == BM_POLLIN);
    CHECK(bm_socket_accept(server, NULL, NULL, 0, &ends[1]) == 0);
    close_both(ends);

    // A linger of 0 resets.
    struct bm_socket_linger at_once = {1, 0};
    connected(server, family, port, ends);
    CHECK(bm_socket_option_set(ends[0], BM_SOL_SOCKET, BM_SO_LINGER, &at_once, sizeof(at_once)) == 0);
    CHECK(bm_socket_close(ends[0]) == 0);
    CHECK(bm_socket_poll(ends[1], BM_POLLIN, soon(5000)) & BM_POLLERR);
    CHECK(bm_socket_receive(ends[1], buffer, 1, 0, NULL, NULL) == -BM_ECONNRESET);
    CHECK(bm_socket_receive(ends[1], buffer, 1, 0, NULL, NULL) == 0);
    CHECK(bm_socket_send(ends[1], "x", 1, 0, NULL, 0) == -BM_EPIPE);
    CHECK(bm_socket_close(ends[1]) == 0);
    CHECK(bm_socket_close(server) == 0);

    // Nobody listens any longer.
    second = opened(family, BM_SOCK_STREAM);
    CHECK(bm_socket_connect(second, &here, size_of(family)) == -BM_ECONNREFUSED);
    CHECK(bm_socket_close(second) == 0);
}

static void check_datagrams(int family, unsigned port)
{
    static char large[66000];
    char buffer[64];
    struct bm_socket *one = bound(family, BM_SOCK_DGRAM, port), *other = opened(family, BM_SOCK_DGRAM);
    union bm_socket_address there = loopback(family, port), from, none = {.family = BM_AF_UNSPEC};
    uint32_t size = sizeof(from);
    CHECK(bm_socket_accept(one, NULL, NULL, 0, &other) == -BM_EOPNOTSUPP);
    CHECK(bm_socket_listen(one, 1) == -BM_EOPNOTSUPP);
    CHECK(bm_socket_send(other, "x", 1, 0, NULL, 0) == -BM_EDESTADDRREQ);
    CHECK(bm_socket_send(other, "x", 1, 0, &there, 3) == -BM_EINVAL);
    CHECK(bm_socket_send(other, large, sizeof(large), 0, &there, size_of(family)) == -BM_EMSGSIZE);
    CHECK(bm_socket_send(other, "to you", 6, 0, &there, size_of(family)) == 6);
    CHECK(bm_socket_receive(one, buffer, sizeof(buffer), 0, &from, &size) == 6);
    CHECK(size == size_of(family) && from.family == family && memcmp(buffer, "to you", 6) == 0);

    // Back to where it came from, in pieces; more than there is room for.
    struct bm_file_piece pieces[65] = {{"and ", 4}, {"back", 4}}, hole = {buffer, 5};
    struct bm_socket_message out = {.address = &from, .address_size = size, .pieces = pieces, .count = 2};
    struct bm_socket_message in = {
        .address = &from, .address_size = sizeof(from), .pieces = &hole, .count = 1, .control_size = 9};
    CHECK(bm_socket_send_message(one, &out, 0) == 8);
    CHECK(bm_socket_receive_message(other, &in, 0) == 5 && memcmp(buffer, "and b", 5) == 0);
    CHECK(in.flags == BM_MSG_TRUNC && in.control_size == 0);
    CHECK(in.address_size == size && from.ip4.port == swapped(port));
    for (int i = 0; i < 65; i++)
        pieces[i] = (struct bm_file_piece){"x", 1};
    out.count = 65;
    CHECK(bm_socket_send_message(one, &out, 0) == -BM_EMSGSIZE);

    // A peer for good, and none again.
    CHECK(bm_socket_connect(other, &there, size_of(family)) == 0);
    CHECK(bm_socket_send(other, "a longer one", 12, 0, NULL, 0) == 12);
    CHECK(bm_socket_poll(one, BM_POLLIN, soon(5000)) == BM_POLLIN);
    CHECK(bm_socket_available(one) == 12);
    CHECK(bm_socket_receive(one, buffer, 4, BM_MSG_TRUNC, NULL, NULL) == 12);
    CHECK(bm_socket_connect(other, &none, sizeof(none.family)) == 0);
    CHECK(bm_socket_send(other, "x", 1, 0, NULL, 0) == -BM_EDESTADDRREQ);
    close_both((struct bm_socket *[]){one, other});
}

static void check_addresses(int family)
{
    union bm_socket_address here = loopback(family, 0), elsewhere = here, other = here;
    uint32_t size = sizeof(here);
    struct bm_socket *socket = opened(family, BM_SOCK_STREAM);
    char byte;
    elsewhere.ip4.address = __builtin_bswap32(0xc000024d); // 192.0.2.77; of IPv6 the flow
    elsewhere.ip6.address[0] = 0x20;
    other.family = family == BM_AF_INET ? BM_AF_INET6 : BM_AF_INET;
    CHECK(bm_socket_bind(socket, &elsewhere, size_of(family)) == -BM_EADDRNOTAVAIL);
    CHECK(bm_socket_bind(socket, &here, size_of(family) - 1) == -BM_EINVAL);
    CHECK(bm_socket_bind(socket, NULL, 0) == -BM_EINVAL);
    CHECK(bm_socket_bind(socket, &other, sizeof(other)) == -BM_EAFNOSUPPORT);
    CHECK(bm_socket_bind(socket, &here, size_of(family)) == 0);
    CHECK(bm_socket_bind(socket, &here, size_of(family)) == -BM_EINVAL);
    CHECK(bm_socket_name(socket, &here, &size) == 0 && here.ip4.port != 0);
    CHECK(bm_socket_name(socket, NULL, &size) == -BM_EINVAL);
    CHECK(bm_socket_peer(socket, &here, &size) == -BM_ENOTCONN);
    CHECK(bm_socket_shutdown(socket, BM_SHUT_RDWR) == -BM_ENOTCONN);
    CHECK(bm_socket_send(socket, "x", 1, 0, NULL, 0) == -BM_ENOTCONN);
    CHECK(bm_socket_receive(socket, &byte, 1, 0, NULL, NULL) == -BM_ENOTCONN);
    CHECK(bm_socket_close(socket) == 0);
}

static void check_options(void)
{
    struct bm_socket *socket = opened(BM_AF_INET6, BM_SOCK_STREAM);
    struct bm_socket_time never = {0, 1000000};
    int value = 1;
    uint32_t size = 1;
    CHECK(option_of(socket, BM_SOL_SOCKET, BM_SO_TYPE) == BM_SOCK_STREAM);
    CHECK(option_of(socket, BM_SOL_SOCKET, BM_SO_DOMAIN) == BM_AF_INET6);
    CHECK(option_of(socket, BM_SOL_SOCKET, BM_SO_PROTOCOL) == BM_IPPROTO_TCP);
    CHECK(option_of(socket, BM_SOL_SOCKET, BM_SO_SNDBUF) == 128 * 1024);
    CHECK(bm_socket_option_set(socket, BM_IPPROTO_TCP, BM_TCP_NODELAY, &value, sizeof(value)) == 0);
    CHECK(option_of(socket, BM_IPPROTO_TCP, BM_TCP_NODELAY) != 0);
    value = -1; // a short value is cut off, a long room is told
    CHECK(bm_socket_option_get(socket, BM_SOL_SOCKET, BM_SO_TYPE, &value, &size) == 0 && size == 1);
    CHECK(value == (int)(0xffffff00u | BM_SOCK_STREAM));
    struct {
        struct bm_socket_linger linger;
        int beyond;
    } room = {{-1, -1}, -1};
    size = sizeof(room);
    CHECK(bm_socket_option_get(socket, BM_SOL_SOCKET, BM_SO_LINGER, &room, &size) == 0);
    CHECK(size == sizeof(room.linger) && room.linger.on == 0 && room.beyond == -1);
    size = 2 * sizeof(value);
    CHECK(bm_socket_option_get(socket, BM_IPPROTO_TCP, BM_TCP_NODELAY, &room, &size) == 0 && size == 4);
    CHECK(bm_socket_option_set(socket, BM_SOL_SOCKET, BM_SO_BINDTODEVICE, "lo", 2) == 0);
    struct bm_socket *datagrams = opened(BM_AF_INET, BM_SOCK_DGRAM);
    value = 3;
    CHECK(bm_socket_option_set(datagrams, BM_IPPROTO_IP, BM_IP_MULTICAST_TTL, &value, sizeof(value)) == 0);
    CHECK(option_of(datagrams, BM_IPPROTO_IP, BM_IP_MULTICAST_TTL) == 3); // an int, whatever lwIP writes
    CHECK(bm_socket_close(datagrams) == 0);
    CHECK(bm_socket_option_get(socket, BM_SOL_SOCKET, BM_SO_TYPE, NULL, &size) == -BM_EFAULT);
    CHECK(bm_socket_option_set(socket, BM_SOL_SOCKET, BM_SO_TYPE, NULL, 4) == -BM_EFAULT);
    CHECK(bm_socket_option_set(socket, BM_SOL_SOCKET, 0x7777, &value, 4) == -BM_ENOPROTOOPT);
    CHECK(bm_socket_option_set(socket, BM_SOL_SOCKET, BM_SO_RCVTIMEO, &never, sizeof(never)) == -BM_EDOM);
    CHECK(bm_socket_option_set(socket, BM_SOL_SOCKET, BM_SO_BINDTODEVICE, "eth7", 5) == -BM_ENODEV);
    CHECK(bm_socket_close(socket) == 0);
}

int main(void)
{
    static const int families[] = {BM_AF_INET, BM_AF_INET6};
    errno = UNTOUCHED;
    check_opening();
    for (unsigned i = 0; i < 2; i++) {
        check_stream(families[i], 1000 + i);
        check_datagrams(families[i], 1010 + i);
        check_addresses(families[i]);
    }
    check_options();
    CHECK(errno == UNTOUCHED);
    return passed();
}
