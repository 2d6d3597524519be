// The socket calls within the machine itself, without any network device: TCP and UDP, IPv4 and IPv6.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked musl
// @link net
// @memory 32

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

// An address of this machine, 127.0.0.1 or ::1.
union address {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
    struct sockaddr_storage storage;
};

static socklen_t size_of(int family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static union address loopback(int family, unsigned short port)
{
    union address address = {.ip4 = {0}};
    if (family == AF_INET) {
        address.ip4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        address.ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        address.ip6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    }
    return address;
}

static int listener(int family, unsigned short port)
{
    union address here = loopback(family, port);
    int server = socket(family, SOCK_STREAM, 0), on = 1;
    CHECK(server >= 0);
    CHECK(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
    CHECK(bind(server, &here.any, size_of(family)) == 0);
    CHECK(listen(server, 5) == 0);
    return server;
}

// Both ends of a new connection to the listener.
static void connected(int server, int family, unsigned short port, int ends[2])
{
    union address there = loopback(family, port), from;
    ends[0] = socket(family, SOCK_STREAM, 0);
    CHECK(connect(ends[0], &there.any, size_of(family)) == 0);
    socklen_t length = sizeof(from);
    ends[1] = accept(server, &from.any, &length);
    CHECK(ends[1] >= 0);
    CHECK(length == size_of(family) && from.any.sa_family == family);
    union address name;
    length = sizeof(name);
    CHECK(getsockname(ends[0], &name.any, &length) == 0 && length == size_of(family));
    CHECK(name.ip4.sin_port == from.ip4.sin_port); // the same place in both families
}

static void close_both(const int ends[2])
{
    CHECK(close(ends[0]) == 0);
    CHECK(close(ends[1]) == 0);
}

static int events(int descriptor, short wanted, int timeout)
{
    struct pollfd watched = {.fd = descriptor, .events = wanted};
    int ready = poll(&watched, 1, timeout);
    CHECK(ready >= 0);
    return ready ? watched.revents : 0;
}

static void check_stream(int family, unsigned short port)
{
    char buffer[64];
    int ends[2], waiting = -1, server = listener(family, port);
    CHECK(!(events(server, POLLIN, 0) & POLLIN));
    connected(server, family, port, ends);
    CHECK(events(ends[0], POLLIN | POLLOUT, 0) == POLLOUT);
    CHECK(send(ends[0], "hello, other end", 16, 0) == 16);
    CHECK(events(ends[1], POLLIN, 5000) == POLLIN);
    CHECK(ioctl(ends[1], FIONREAD, &waiting) == 0 && waiting == 16);
    CHECK(recv(ends[1], buffer, 5, MSG_PEEK) == 5 && memcmp(buffer, "hello", 5) == 0);
    CHECK(recv(ends[1], buffer, 5, 0) == 5 && memcmp(buffer, "hello", 5) == 0);
    CHECK(events(ends[1], POLLIN, 0) == POLLIN); // the rest of the segment
    CHECK(read(ends[1], buffer, sizeof(buffer)) == 11 && memcmp(buffer, ", other end", 11) == 0);
    CHECK(events(ends[1], POLLIN, 0) == 0);
    CHECK_ERRNO(recv(ends[1], buffer, 1, MSG_DONTWAIT), EAGAIN);

    struct iovec pieces[3] = {{"one ", 4}, {NULL, 0}, {"two", 3}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    CHECK(sendmsg(ends[1], &message, 0) == 7);
    CHECK(recv(ends[0], buffer, 7, MSG_WAITALL) == 7 && memcmp(buffer, "one two", 7) == 0);

    // One read takes what is there, whatever the pieces.
    struct iovec holes[2] = {{buffer, 3}, {buffer + 32, 32}};
    CHECK(writev(ends[0], pieces, 3) == 7);
    CHECK(readv(ends[1], holes, 2) == 7 && memcmp(buffer, "one", 3) == 0 &&
          memcmp(buffer + 32, " two", 4) == 0);
    CHECK(writev(ends[0], pieces, 1) == 4);
    CHECK(readv(ends[1], holes, 2) == 4);

    // Half close: the other direction stays open.
    CHECK(shutdown(ends[0], SHUT_WR) == 0);
    CHECK_ERRNO(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(events(ends[1], POLLIN, 5000) == POLLIN);
    CHECK(read(ends[1], buffer, sizeof(buffer)) == 0);
    CHECK(read(ends[1], buffer, sizeof(buffer)) == 0); // and stays the end
    CHECK(send(ends[1], "still", 5, 0) == 5);
    CHECK(recv(ends[0], buffer, sizeof(buffer), 0) == 5);
    close_both(ends);
    CHECK(close(server) == 0);
}

// More than both windows hold, by a writer that never blocks: nothing is lost or doubled.
static void check_volume(int family, unsigned short port)
{
    enum { TOTAL = 2 * 1024 * 1024, PIECE = 10007 };
    static unsigned char out[PIECE], in[PIECE];
    int ends[2], server = listener(family, port);
    connected(server, family, port, ends);
    CHECK(fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK) == 0);
    CHECK(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    unsigned sent = 0, got = 0, refused = 0;
    while (got < TOTAL) {
        while (sent < TOTAL) {
            unsigned size = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
            for (unsigned i = 0; i < size; i++)
                out[i] = (unsigned char)((sent + i) * 31 >> 5);
            ssize_t done = send(ends[0], out, size, 0);
            if (done < 0) {
                CHECK(errno == EAGAIN);
                refused++;
                break;
            }
            sent += (unsigned)done;
        }
        ssize_t size = read(ends[1], in, PIECE);
        CHECK(size > 0);
        for (ssize_t i = 0; i < size; i++)
            CHECK(in[i] == (unsigned char)((got + (unsigned)i) * 31 >> 5));
        got += (unsigned)size;
    }
    CHECK(sent == TOTAL && got == TOTAL && refused > 0);
    close_both(ends);
    CHECK(close(server) == 0);
}

static void check_non_blocking(int family, unsigned short port)
{
    union address there = loopback(family, port), nobody = loopback(family, (unsigned short)(port + 1));
    int server = listener(family, port), error = -1;
    socklen_t length = sizeof(error);
    CHECK(ioctl(server, FIONBIO, &(int){1}) == 0);
    CHECK_ERRNO(accept(server, NULL, NULL), EAGAIN);
    int client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(fcntl(client, F_GETFL) & O_NONBLOCK);
    CHECK_ERRNO(connect(client, &there.any, size_of(family)), EINPROGRESS);
    CHECK(connect(client, &there.any, size_of(family)) == 0); // it was there at once, as on Linux
    CHECK(events(client, POLLOUT, 5000) & POLLOUT);
    CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    CHECK_ERRNO(connect(client, &there.any, size_of(family)), EISCONN);
    CHECK(events(server, POLLIN, 5000) == POLLIN);
    int accepted = accept4(server, NULL, NULL, SOCK_NONBLOCK);
    CHECK(accepted >= 0 && (fcntl(accepted, F_GETFL) & O_NONBLOCK));
    CHECK_ERRNO(read(accepted, &error, 1), EAGAIN);
    close_both((int[]){client, accepted});

    client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(connect(client, &nobody.any, size_of(family)), EINPROGRESS);
    CHECK(events(client, POLLOUT, 5000) & POLLERR);
    CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNREFUSED);
    CHECK(close(client) == 0);
    client = socket(family, SOCK_STREAM, 0);
    CHECK_ERRNO(connect(client, &nobody.any, size_of(family)), ECONNREFUSED);
    CHECK(close(client) == 0);
    CHECK(close(server) == 0);
}

static long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void check_timeouts(int family, unsigned short port)
{
    char byte;
    int ends[2], server = listener(family, port);
    connected(server, family, port, ends);
    struct timeval limit = {0, 150000};
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    long start = milliseconds();
    CHECK_ERRNO(recv(ends[0], &byte, 1, 0), EAGAIN);
    CHECK(milliseconds() - start >= 149);
    start = milliseconds();
    CHECK(events(ends[0], POLLIN, 120) == 0);
    CHECK(milliseconds() - start >= 119);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    limit = (struct timeval){0, 130000};
    start = milliseconds();
    CHECK(select(ends[0] + 1, &readable, NULL, NULL, &limit) == 0 && !FD_ISSET(ends[0], &readable));
    CHECK(milliseconds() - start >= 129);
    close_both(ends);
    CHECK(close(server) == 0);
}

// Closing with unread data, or with a linger of 0, resets.
static void check_reset(int family, unsigned short port)
{
    char byte;
    int ends[2], server = listener(family, port);
    struct linger at_once = {1, 0};
    connected(server, family, port, ends);
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    CHECK(close(ends[0]) == 0);
    CHECK(events(ends[1], POLLIN, 5000) & POLLERR);
    CHECK_ERRNO(read(ends[1], &byte, 1), ECONNRESET);
    CHECK(read(ends[1], &byte, 1) == 0);
    CHECK_ERRNO(send(ends[1], "x", 1, 0), EPIPE);
    CHECK(close(ends[1]) == 0);
    CHECK(close(server) == 0);
}

// A reset behind data is told, once, whichever call has given the data.
static void check_reset_behind_data(int family, unsigned short port)
{
    char buffer[16];
    int server = listener(family, port), ends[2];
    struct linger at_once = {1, 0};
    struct iovec pieces[2] = {{buffer, 4}, {buffer + 4, 8}};
    for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
        connected(server, family, port, ends);
        CHECK(send(ends[0], "data", 4, 0) == 4);
        CHECK(events(ends[1], POLLIN, 5000) == POLLIN);
        CHECK(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
        CHECK(close(ends[0]) == 0);
        while (!(events(ends[1], POLLIN, 5000) & POLLERR))
            ;
        if (in_pieces)
            CHECK(readv(ends[1], pieces, 2) == 4);
        else
            CHECK(recv(ends[1], buffer, sizeof(buffer), MSG_WAITALL) == 4);
        CHECK(events(ends[1], POLLIN, 0) & POLLIN);
        CHECK_ERRNO(recv(ends[1], buffer, 1, 0), ECONNRESET);
        CHECK(recv(ends[1], buffer, 1, 0) == 0);
        CHECK_ERRNO(send(ends[1], "x", 1, 0), EPIPE);
        CHECK(close(ends[1]) == 0);
    }
    CHECK(close(server) == 0);
}

// Closing a socket that does not block, with a linger, neither waits nor fails: all that was sent arrives.
static void check_linger(int family, unsigned short port)
{
    static char data[8192];
    int server = listener(family, port), ends[2];
    struct linger later = {1, 5};
    connected(server, family, port, ends);
    CHECK(fcntl(ends[0], F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &later, sizeof(later)) == 0);
    ssize_t size, sent = 0, got = 0;
    while ((size = send(ends[0], data, sizeof(data), 0)) > 0)
        sent += size;
    CHECK(size == -1 && errno == EAGAIN);
    CHECK(close(ends[0]) == 0);
    while ((size = read(ends[1], data, sizeof(data))) > 0)
        got += size;
    CHECK(size == 0 && got == sent);
    CHECK(close(ends[1]) == 0);
    CHECK(close(server) == 0);
}

// What a connection that is being made says, and when it ends to be that.
static void check_connecting(int family, unsigned short port)
{
    union address there = loopback(family, port), nobody = loopback(family, (unsigned short)(port + 1));
    int server = listener(family, port), error = -1, client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t length = sizeof(error);
    char byte;
    CHECK_ERRNO(connect(client, &nobody.any, size_of(family)), EINPROGRESS);
    CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    if (error == 0) { // asked too early: the result is still to come
        CHECK(events(client, POLLOUT, 5000) & POLLERR);
        CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    }
    CHECK(error == ECONNREFUSED);
    CHECK(close(client) == 0);

    client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(connect(client, &there.any, size_of(family)), EINPROGRESS);
    CHECK(send(client, "x", 1, 0) == 1 || errno == EAGAIN);
    CHECK(events(client, POLLOUT, 5000) == POLLOUT);
    struct iovec pieces[2] = {{"one ", 4}, {"two", 3}};
    CHECK(writev(client, pieces, 2) == 7);
    int accepted = accept(server, NULL, NULL);
    struct linger at_once = {1, 0};
    CHECK(accepted >= 0 && setsockopt(accepted, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    CHECK(close(accepted) == 0);
    CHECK(events(client, POLLIN, 5000) & POLLERR);
    CHECK_ERRNO(read(client, &byte, 1), ECONNRESET); // not a refusal
    CHECK(close(client) == 0);
    CHECK(close(server) == 0);
}

static void check_datagrams(int family, unsigned short port)
{
    char buffer[32];
    union address here = loopback(family, port), from;
    int one = socket(family, SOCK_DGRAM, 0), other = socket(family, SOCK_DGRAM, 0);
    CHECK(bind(one, &here.any, size_of(family)) == 0);
    CHECK_ERRNO(bind(other, &here.any, size_of(family)), EADDRINUSE);
    CHECK_ERRNO(send(other, "x", 1, 0), EDESTADDRREQ);
    CHECK(sendto(other, "first", 5, 0, &here.any, size_of(family)) == 5);
    CHECK(sendto(other, "", 0, 0, &here.any, size_of(family)) == 0);
    CHECK(sendto(other, "a longer third one", 18, 0, &here.any, size_of(family)) == 18);
    CHECK(events(one, POLLIN, 5000) == POLLIN);
    socklen_t length = sizeof(from);
    CHECK(recvfrom(one, buffer, sizeof(buffer), 0, &from.any, &length) == 5 &&
          memcmp(buffer, "first", 5) == 0);
    CHECK(length == size_of(family) && from.any.sa_family == family);
    CHECK(recv(one, buffer, sizeof(buffer), 0) == 0); // an empty datagram is one
    struct iovec piece = {buffer, 8};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    CHECK(recvmsg(one, &message, MSG_PEEK) == 8 && (message.msg_flags & MSG_TRUNC));
    CHECK(recv(one, buffer, 8, MSG_TRUNC) == 18 && memcmp(buffer, "a longer", 8) == 0);
    CHECK_ERRNO(recv(one, buffer, 8, MSG_DONTWAIT), EAGAIN);
    // The answer goes to where the datagram came from; the connected socket hears only its peer.
    CHECK(connect(other, &here.any, size_of(family)) == 0);
    CHECK(sendto(one, "back", 4, 0, &from.any, length) == 4);
    CHECK(recv(other, buffer, sizeof(buffer), 0) == 4 && memcmp(buffer, "back", 4) == 0);
    CHECK(send(other, "again", 5, 0) == 5 && read(one, buffer, sizeof(buffer)) == 5);
    close_both((int[]){one, other});
}

// An IPv6 listener takes IPv4 too and shows the caller as a mapped address.
static void check_dual(unsigned short port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)}, from;
    union address there = loopback(AF_INET, port);
    socklen_t length = sizeof(from);
    int server = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(server, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(server, 1) == 0);
    CHECK(connect(client, &there.any, sizeof(there.ip4)) == 0);
    int accepted = accept(server, (struct sockaddr *)&from, &length);
    CHECK(accepted >= 0 && from.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    close_both((int[]){client, accepted});
    CHECK(close(server) == 0);
}

static void check_misuse(void)
{
    union address here = loopback(AF_INET, 99), elsewhere = here;
    int stream = socket(AF_INET, SOCK_STREAM, 0), value = 0;
    socklen_t length = sizeof(value);
    struct stat status;
    char byte;
    elsewhere.ip4.sin_addr.s_addr = inet_addr("192.0.2.77");
    CHECK(fstat(stream, &status) == 0 && S_ISSOCK(status.st_mode));
    CHECK_ERRNO(lseek(stream, 0, SEEK_SET), ESPIPE);
    CHECK_ERRNO(send(stream, "x", 1, 0), ENOTCONN);
    CHECK_ERRNO(recv(stream, &byte, 1, 0), ENOTCONN);
    CHECK_ERRNO(accept(stream, NULL, NULL), EINVAL);
    CHECK_ERRNO(shutdown(stream, SHUT_RDWR), ENOTCONN);
    CHECK_ERRNO(getpeername(stream, &here.any, &length), ENOTCONN);
    CHECK_ERRNO(bind(stream, &elsewhere.any, sizeof(elsewhere.ip4)), EADDRNOTAVAIL);
    CHECK_ERRNO(bind(stream, &here.any, 3), EINVAL);
#ifndef __linux__ // with musl there are such
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
#endif
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERRNO(getsockopt(stream, SOL_SOCKET, 0x7777, &value, &length), ENOPROTOOPT);
    CHECK(getsockopt(stream, SOL_SOCKET, SO_TYPE, &value, &length) == 0 && value == SOCK_STREAM);
    value = 1; // the nearest size that there is
    CHECK(setsockopt(stream, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) == 0);
    CHECK(getsockopt(stream, SOL_SOCKET, SO_SNDBUF, &value, &length) == 0 && value == 128 * 1024);
    CHECK_ERRNO(setsockopt(stream, SOL_SOCKET, SO_SNDBUF, &value, 1), EINVAL);
    CHECK(listen(stream, 1) == 0); // unbound: a free port
    CHECK(getsockopt(stream, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value == 1);
    CHECK(close(stream) == 0);
    CHECK_ERRNO(recv(stream, &byte, 1, 0), EBADF);
}

static void check_text(void)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ip6;
    struct in_addr ip4;
    CHECK(inet_pton(AF_INET6, "2001:DB8::8:800:200C:417A", &ip6) == 1);
    CHECK(inet_ntop(AF_INET6, &ip6, text, sizeof(text)) == text &&
          !strcmp(text, "2001:db8::8:800:200c:417a"));
    CHECK_ERRNO(inet_ntop(AF_INET6, &ip6, text, 9) ? 0 : -1, ENOSPC);
    CHECK(inet_pton(AF_INET6, "1::2::3", &ip6) == 0);
    CHECK(inet_pton(AF_INET, "1.2.3.256", &ip4) == 0 && inet_pton(AF_INET, "1.2.3", &ip4) == 0);
    CHECK(inet_pton(AF_INET, "1.2.3.4", &ip4) == 1 && ntohl(ip4.s_addr) == 0x01020304);
    CHECK(inet_aton("0x7f.1", &ip4) == 1 && ntohl(ip4.s_addr) == INADDR_LOOPBACK);
    CHECK(inet_addr("nonsense") == INADDR_NONE);
    CHECK(strcmp(inet_ntoa(ip4), "127.0.0.1") == 0);
}

#ifndef __linux__
static void check_names(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    char host[64], service[16];
    CHECK(getaddrinfo("127.0.0.1", "http", &hints, &found) == 0);
    CHECK(found->ai_family == AF_INET && found->ai_socktype == SOCK_STREAM && !found->ai_next);
    CHECK(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port == htons(80));
    CHECK(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof(host), service, sizeof(service), 0) ==
          0);
    CHECK(strcmp(host, "127.0.0.1") == 0 && strcmp(service, "http") == 0);
    freeaddrinfo(found);
    CHECK(getaddrinfo("localhost", "8080", &hints, &found) == 0 && found->ai_next);
    freeaddrinfo(found);
    hints.ai_flags = AI_PASSIVE;
    hints.ai_family = AF_INET6;
    CHECK(getaddrinfo(NULL, "7", &hints, &found) == 0 && found->ai_family == AF_INET6);
    CHECK(IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr));
    freeaddrinfo(found);
    hints.ai_flags = AI_NUMERICHOST;
    CHECK(getaddrinfo("example.org", NULL, &hints, &found) == EAI_NONAME);
    CHECK(getaddrinfo("::1", "nonsense", &hints, &found) == EAI_SERVICE);
    CHECK(getaddrinfo("127.0.0.1", "1", &hints, &found) == EAI_NONAME); // IPv6 was asked for
    hints.ai_family = 77;
    CHECK(getaddrinfo("::1", "1", &hints, &found) == EAI_FAMILY);
    CHECK(getaddrinfo(NULL, NULL, NULL, &found) == EAI_NONAME);
    CHECK(getservbyname("https", "tcp") &&
          ntohs((unsigned short)getservbyname("https", "tcp")->s_port) == 443);
}

#endif

// Whoever sees one port cannot tell the next.
static void check_free_ports(int type)
{
    enum { SOCKETS = 8 };
    int descriptors[SOCKETS], followers = 0;
    unsigned short before = 0;
    for (int i = 0; i < SOCKETS; i++) {
        union address name = loopback(AF_INET, 0);
        socklen_t length = sizeof(name);
        descriptors[i] = socket(AF_INET, type, 0);
        CHECK(bind(descriptors[i], &name.any, sizeof(name.ip4)) == 0);
        CHECK(getsockname(descriptors[i], &name.any, &length) == 0 && name.ip4.sin_port != 0);
        followers += ntohs(name.ip4.sin_port) == before + 1;
        before = ntohs(name.ip4.sin_port);
    }
    CHECK(followers < 3);
    for (int i = 0; i < SOCKETS; i++)
        CHECK(close(descriptors[i]) == 0);
}

// The loopback interface with its two addresses, and nothing else.
static void check_interfaces(void)
{
    struct ifaddrs *list;
    int ip4 = 0, ip6 = 0;
    char name[IF_NAMESIZE];
    CHECK(getifaddrs(&list) == 0);
    for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
        CHECK(strcmp(at->ifa_name, "lo") == 0 &&
              (at->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
        if (at->ifa_addr->sa_family == AF_INET)
            ip4 += ((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
        if (at->ifa_addr->sa_family == AF_INET6)
            ip6 += IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr);
    }
    freeifaddrs(list);
    CHECK(ip4 == 1 && ip6 == 1);
    CHECK(if_nametoindex("lo") == 1 && if_indextoname(1, name) == name && strcmp(name, "lo") == 0);
    CHECK(if_nametoindex("eth0") == 0);
    CHECK_ERRNO(if_indextoname(77, name) ? 0 : -1, ENXIO);
    struct if_nameindex *names = if_nameindex();
    CHECK(names && names[0].if_index == 1 && strcmp(names[0].if_name, "lo") == 0 && names[1].if_index == 0);
    if_freenameindex(names);
}

// The machine answers its own ping.
static void check_ping(void)
{
    // An echo request without data; the answer comes behind an IPv4 header.
    const unsigned char request[8] = {8, 0, 0xf7 - 0x12, 0xff - 0x34, 0, 0, 0x12, 0x34};
    unsigned char answer[64];
    union address here = loopback(AF_INET, 0);
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    struct timeval limit = {5, 0};
    CHECK(raw >= 0 && setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(sendto(raw, request, sizeof(request), 0, &here.any, sizeof(here.ip4)) == 8);
    ssize_t size;
    do {
        size = recv(raw, answer, sizeof(answer), 0);
        CHECK(size == 28); // our own request is heard, too
    } while (answer[20] != 0);
    CHECK(memcmp(answer + 24, request + 4, 4) == 0);
    CHECK(close(raw) == 0);
}

// Connections come and go; descriptors, sockets and memory are reused.
static void check_many(int family, unsigned short port)
{
    int server = listener(family, port), ends[2];
    for (int i = 0; i < 2500; i++) {
        connected(server, family, port, ends);
        CHECK(ends[0] < 8 && ends[1] < 8);
        close_both(ends);
    }
    CHECK(close(server) == 0);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (unsigned short i = 0; i < 2; i++) {
        int family = families[i];
        unsigned short port = (unsigned short)(1000 + i * 100);
        check_stream(family, port++);
        check_volume(family, port++);
        check_non_blocking(family, port++);
        check_timeouts(family, ++port);
        check_reset(family, ++port);
        check_reset_behind_data(family, ++port);
        check_linger(family, ++port);
        check_connecting(family, ++port);
        port++;
        check_datagrams(family, ++port);
        check_many(family, ++port);
    }
    check_dual(2000);
    check_misuse();
    check_text();
#ifndef __linux__ // musl has services from /etc/services, which is not there
    check_names();
#endif
    check_interfaces();
    check_free_ports(SOCK_STREAM);
    check_free_ports(SOCK_DGRAM);
    check_ping();
    return passed();
}
