// Sockets of the network under musl, within the machine: the same results and errors as on Linux, where this
// source runs, too.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @link net
// @expect ^PASS$

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "linux_local.h"

static union {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
} there;

static socklen_t size_of(int family)
{
    return family == AF_INET ? sizeof there.ip4 : sizeof there.ip6;
}

static void loopback(int family, unsigned short port)
{
    memset(&there, 0, sizeof there);
    if (family == AF_INET) {
        there.ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        there.ip4.sin_port = port;
    } else {
        there.ip6.sin6_addr = in6addr_loopback;
        there.ip6.sin6_port = port;
    }
    there.any.sa_family = (sa_family_t)family;
}

// A socket with a port of its own at loopback; `there` is its address.
static int bound(int family, int type)
{
    int made = socket(family, type, 0);
    socklen_t size = size_of(family);
    loopback(family, 0);
    if (bind(made, &there.any, size) || getsockname(made, &there.any, &size))
        printf("bind: error %d\n", errno);
    return made;
}

static int connect_there(int descriptor)
{
    return connect(descriptor, &there.any, size_of(there.any.sa_family));
}

static int wait_for(int descriptor, short which)
{
    struct pollfd look = {descriptor, which, 0};
    return poll(&look, 1, 5000) == 1 ? look.revents & which : 0;
}

static int number(int descriptor, int level, int which)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, level, which, &value, &size) ? -errno : value;
}

static int set(int descriptor, int level, int which, int value)
{
    return setsockopt(descriptor, level, which, &value, sizeof value);
}

// A connection that was refused does not spoil its socket.
static void check_again(int family)
{
    printf("--- again, family %d\n", family);
    int server = bound(family, SOCK_STREAM), client = socket(family, SOCK_STREAM, 0);
    SAY(set(client, IPPROTO_TCP, TCP_NODELAY, 1));
    SAY(set(client, SOL_SOCKET, SO_KEEPALIVE, 1));
    SAY(set(client, IPPROTO_TCP, TCP_KEEPIDLE, 77));
    SAY(connect_there(client));
    SAY(connect_there(client));
    SAY(option(client, SO_ERROR));
    SAY(listen(server, 5));
    SAY(connect_there(client));
    SAY(connect_there(client));
    SAY(number(client, IPPROTO_TCP, TCP_NODELAY) != 0);
    SAY(option(client, SO_KEEPALIVE));
    SAY(number(client, IPPROTO_TCP, TCP_KEEPIDLE));
    int accepted = accept(server, NULL, NULL);
    SAY(send(client, "hello", 5, 0));
    SAY(recv(accepted, buffer, 5, MSG_WAITALL));
    SAY(close(client) | close(accepted) | close(server));

    server = bound(family, SOCK_STREAM);
    for (int asks = 0; asks < 2; asks++) {
        client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        SAY(connect_there(client));
        SAY(wait_for(client, POLLOUT));
        if (asks)
            SAY(option(client, SO_ERROR));
        SAY(connect_there(client));
        SAY(connect_there(client));
        SAY(wait_for(client, POLLOUT));
        SAY(connect_there(client));
        SAY(close(client));
    }
    // One that has a port of its own keeps it.
    socklen_t size = size_of(family);
    unsigned short port = there.ip4.sin_port;
    close(bound(family, SOCK_STREAM));
    unsigned short own = there.ip4.sin_port;
    client = socket(family, SOCK_STREAM, 0);
    SAY(bind(client, &there.any, size));
    loopback(family, port);
    SAY(connect_there(client));
    SAY(listen(server, 5));
    SAY(connect_there(client));
    SAY(getsockname(client, &there.any, &size));
    SAY(there.ip4.sin_port == own);
    SAY(close(client) | close(server));
}

static void check_peek(void)
{
    puts("--- peek");
    int server = bound(AF_INET, SOCK_STREAM), client = socket(AF_INET, SOCK_STREAM, 0), there_now = 0;
    SAY(set(client, IPPROTO_TCP, TCP_NODELAY, 1));
    SAY(listen(server, 5));
    SAY(connect_there(client));
    int accepted = accept(server, NULL, NULL);
    for (int i = 0; i < 5; i++) {
        char piece[8];
        snprintf(piece, sizeof piece, "piece %d", i);
        SAY(send(client, piece, 7, 0));
        while (there_now < 7 * (i + 1))
            ioctl(accepted, FIONREAD, &there_now); // a segment each
    }
    SAY(recv(accepted, buffer, 3, 0));
    SAY(recv(accepted, buffer, 100, MSG_PEEK));
    SAY(memcmp(buffer, "ce 0piece 1piece 2piece 3piece 4", 32));
    SAY(recv(accepted, buffer, 9, MSG_PEEK));
    struct iovec pieces[3] = {{buffer, 6}, {buffer + 100, 12}, {buffer + 200, 50}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    SAY(recvmsg(accepted, &message, MSG_PEEK));
    SAY(memcmp(buffer, "ce 0pi", 6) | memcmp(buffer + 100, "ece 1piece 2", 12) |
        memcmp(buffer + 200, "piece 3", 7));
    SAY(recv(accepted, buffer, 100, 0));
    SAY(memcmp(buffer, "ce 0piece 1piece 2piece 3piece 4", 32));
    SAY(send(client, "last", 4, 0));
    SAY(close(client));
    SAY(wait_for(accepted, POLLIN));
    SAY(recv(accepted, buffer, 100, MSG_PEEK));
    SAY(recv(accepted, buffer, 100, 0));
    SAY(recv(accepted, buffer, 100, 0));
    SAY(close(accepted) | close(server));
}

// Nobody answers while more wait than the backlog.
static void check_time(void)
{
    puts("--- time of connect");
    int server = bound(AF_INET, SOCK_STREAM), many[4], client = socket(AF_INET, SOCK_STREAM, 0);
    SAY(listen(server, 1));
    for (int i = 0; i < 4; i++) {
        many[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect_there(many[i]);
    }
    SAY(wait_for(many[0], POLLOUT));
    struct timeval time = {0, 50000};
    SAY(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    SAY(connect_there(client));
    SAY(fcntl(client, F_GETFL));
    for (int i = 0; i < 4; i++)
        close(many[i]);
    SAY(close(client) | close(server));
    client = socket(AF_INET, SOCK_STREAM, 0);
    SAY(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    SAY(connect_there(client));
    server = bound(AF_INET, SOCK_STREAM);
    SAY(listen(server, 1));
    SAY(connect_there(client));
    SAY(send(client, "x", 1, 0));
    SAY(close(client) | close(server));
}

static void check_listener(void)
{
    puts("--- listener");
    int server = bound(AF_INET, SOCK_STREAM), client = socket(AF_INET, SOCK_STREAM, 0);
    SAY(set(server, IPPROTO_TCP, TCP_NODELAY, 1));
    SAY(listen(server, 5));
    SAY(number(server, IPPROTO_TCP, TCP_NODELAY) != 0);
    SAY(connect_there(client));
    int accepted = accept(server, NULL, NULL);
    SAY(number(accepted, IPPROTO_TCP, TCP_NODELAY) != 0);
    SAY(close(accepted) | close(client));
    SAY(set(server, IPPROTO_TCP, TCP_NODELAY, 0));
    client = socket(AF_INET, SOCK_STREAM, 0);
    SAY(connect_there(client));
    accepted = accept(server, NULL, NULL);
    SAY(number(accepted, IPPROTO_TCP, TCP_NODELAY) != 0);
    SAY(close(accepted) | close(client) | close(server));
}

// Any address as a destination is loopback.
static void check_any(int family)
{
    printf("--- any, family %d\n", family);
    int server = bound(family, SOCK_STREAM), client = socket(family, SOCK_STREAM, 0), datagrams;
    unsigned short port = there.ip4.sin_port;
    SAY(listen(server, 5));
    memset(&there, 0, sizeof there);
    there.any.sa_family = (sa_family_t)family;
    there.ip4.sin_port = port;
    SAY(connect_there(client));
    socklen_t size = size_of(family);
    SAY(getpeername(client, &there.any, &size));
    SAY(family == AF_INET ? there.ip4.sin_addr.s_addr == htonl(INADDR_LOOPBACK)
                          : IN6_IS_ADDR_LOOPBACK(&there.ip6.sin6_addr));
    SAY(close(client) | close(server));
    datagrams = bound(family, SOCK_DGRAM);
    port = there.ip4.sin_port;
    memset(&there, 0, sizeof there);
    there.any.sa_family = (sa_family_t)family;
    there.ip4.sin_port = port;
    SAY(sendto(datagrams, "to me", 5, 0, &there.any, size_of(family)));
    SAY(recv(datagrams, buffer, 100, 0));
    struct iovec pieces[2] = {{"to ", 3}, {"me", 2}};
    struct msghdr message = {
        .msg_name = &there, .msg_namelen = size_of(family), .msg_iov = pieces, .msg_iovlen = 2};
    SAY(sendmsg(datagrams, &message, 0));
    SAY(recv(datagrams, buffer, 100, 0));
    SAY(close(datagrams));
}

// Nobody has the port: who is connected to it hears of that.
static void check_refused(int family)
{
    printf("--- refused, family %d\n", family);
    int client = socket(family, SOCK_DGRAM, 0);
    close(bound(family, SOCK_DGRAM));
    SAY(connect_there(client));
    SAY(send(client, "x", 1, 0));
    struct pollfd look = {client, POLLIN, 0};
    SAY(poll(&look, 1, 5000));
    SAY(look.revents);
    SAY(recv(client, buffer, 1, 0));
    SAY(recv(client, buffer, 1, MSG_DONTWAIT));
    SAY(poll(&look, 1, 0));
    SAY(send(client, "x", 1, 0));
    SAY(wait_for(client, POLLERR));
    SAY(send(client, "x", 1, 0));
    SAY(send(client, "x", 1, 0));
    SAY(wait_for(client, POLLERR));
    SAY(option(client, SO_ERROR));
    SAY(option(client, SO_ERROR));
    int server = socket(family, SOCK_DGRAM, 0); // takes the port meanwhile
    SAY(bind(server, &there.any, size_of(family)));
    SAY(send(client, "y", 1, 0));
    SAY(recv(server, buffer, 10, 0));
    SAY(wait_for(client, POLLOUT | POLLERR));
    int stranger = socket(family, SOCK_DGRAM, 0); // not connected: hears nothing
    SAY(close(server));
    SAY(sendto(stranger, "z", 1, 0, &there.any, size_of(family)));
    SAY(sendto(stranger, "z", 1, 0, &there.any, size_of(family)));
    SAY(send(client, "z", 1, 0));
    SAY(wait_for(client, POLLERR));
    SAY(option(stranger, SO_ERROR));
    SAY(close(client) | close(stranger));
}

// Within the machine a connection is there at once, also for one that does not wait.
static void check_at_once(int family)
{
    printf("--- at once, family %d\n", family);
    int server = bound(family, SOCK_STREAM), client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SAY(listen(server, 5));
    SAY(connect_there(client));
    SAY(connect_there(client));
    SAY(connect_there(client));
    SAY(shutdown(client, SHUT_WR));
    int accepted = accept(server, NULL, NULL);
    SAY(recv(accepted, buffer, 10, 0));
    SAY(send(accepted, "answer", 6, 0));
    SAY(wait_for(client, POLLIN));
    SAY(recv(client, buffer, 10, 0));
    SAY(option(client, SO_ERROR));
    SAY(close(accepted) | close(client) | close(server));
}

static void check_values(void)
{
    puts("--- values");
    int made = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    static const int hops[] = {1, 0, 255, 256, -2}, many[] = {-1, 0, 1, 32767, 32768},
                     lasting[] = {0, 5, 32767};
    for (int i = 0; i < 5; i++) {
        SAY(set(made, IPPROTO_IP, IP_TTL, hops[i]));
        SAY(number(made, IPPROTO_IP, IP_TTL));
        SAY(set(datagrams, IPPROTO_IP, IP_MULTICAST_TTL, hops[i]));
        SAY(number(datagrams, IPPROTO_IP, IP_MULTICAST_TTL));
        SAY(set(made, IPPROTO_TCP, TCP_KEEPIDLE, many[i]));
        SAY(set(made, IPPROTO_TCP, TCP_KEEPINTVL, many[i]));
        SAY(set(made, IPPROTO_TCP, TCP_KEEPCNT, many[i]));
    }
    SAY(set(datagrams, IPPROTO_IP, IP_MULTICAST_TTL, -1));
    SAY(number(datagrams, IPPROTO_IP, IP_MULTICAST_TTL));
    unsigned char byte = 9;
    SAY(setsockopt(made, IPPROTO_IP, IP_TTL, &byte, 1));
    SAY(number(made, IPPROTO_IP, IP_TTL));
    SAY(setsockopt(made, IPPROTO_IP, IP_TTL, &byte, 0));
    for (int i = 0; i < 3; i++) {
        struct linger linger = {1, lasting[i]};
        socklen_t size = sizeof linger;
        SAY(setsockopt(made, SOL_SOCKET, SO_LINGER, &linger, size));
        SAY(getsockopt(made, SOL_SOCKET, SO_LINGER, &linger, &size));
        SAY(linger.l_linger);
    }
    struct linger odd = {1, 1000000};
    SAY(setsockopt(made, SOL_SOCKET, SO_LINGER, &odd, sizeof odd));
    SAY(setsockopt(made, SOL_SOCKET, SO_LINGER, &odd, 4));
    SAY(set(datagrams, SOL_SOCKET, SO_RCVBUF, 0));
    SAY(option(datagrams, SO_RCVBUF) > 0);
    SAY(set(datagrams, SOL_SOCKET, SO_RCVBUF, -1));
    SAY(option(datagrams, SO_RCVBUF) > 0);
    SAY(set(datagrams, SOL_SOCKET, SO_RCVBUF, 50000));
    struct ip_mreqn request = {.imr_ifindex = 1}, wrong = {.imr_ifindex = 77};
    SAY(setsockopt(datagrams, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
    SAY(setsockopt(datagrams, IPPROTO_IP, IP_MULTICAST_IF, &wrong, sizeof wrong));
    SAY(setsockopt(datagrams, IPPROTO_IP, IP_MULTICAST_IF, &request, 3));
    SAY(close(made) | close(datagrams));
}

// Without a descriptor no connection is taken: it is there when there is one again.
static void check_descriptors(void)
{
    static int all[5000];
    int count = 0;
    puts("--- descriptors");
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){500, 500});
    int server = bound(AF_INET, SOCK_STREAM), client = socket(AF_INET, SOCK_STREAM, 0);
    SAY(listen(server, 5));
    SAY(connect_there(client));
    while (count < 5000 && (all[count] = dup(0)) >= 0)
        count++;
    SAY(accept(server, NULL, NULL));
    SAY(close(all[--count]));
    int accepted = OPEN(accept(server, NULL, NULL));
    SAY(send(client, "x", 1, 0));
    SAY(recv(accepted, buffer, 1, 0));
    while (count)
        close(all[--count]);
    SAY(close(accepted) | close(client) | close(server));
}

// What the loopback interface is called and has, asked on sockets of both kinds.
static void check_interface(int family)
{
    puts("--- interface");
    struct ifreq request = {.ifr_name = "lo"};
    char name[IF_NAMESIZE];
    int made = socket(family, SOCK_DGRAM, 0);
    SAY(if_nametoindex("lo"));
    SAY(if_nametoindex("none9"));
    SAY(if_indextoname(1, name) == name && strcmp(name, "lo") == 0);
    SAY(if_indextoname(77, name) == NULL);
    SAY(ioctl(made, SIOCGIFFLAGS, &request));
    SAY(request.ifr_flags & (IFF_LOOPBACK | IFF_BROADCAST));
    if (family == AF_INET) {
        SAY(ioctl(made, SIOCGIFADDR, &request));
        SAY(((struct sockaddr_in *)(void *)&request.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
        SAY(ioctl(made, SIOCGIFNETMASK, &request));
    }
    SAY(ioctl(made, SIOCGIFMTU, &request));
    SAY(request.ifr_mtu > 1000);
    SAY(ioctl(made, SIOCGIFHWADDR, &request));
    SAY(request.ifr_hwaddr.sa_family);
    strcpy(request.ifr_name, "none9");
    SAY(ioctl(made, SIOCGIFINDEX, &request));
    SAY(close(made));
}

int main(void)
{
    puts("BEGIN");
    check_again(AF_INET);
    check_again(AF_INET6);
    check_peek();
    check_time();
    check_listener();
    check_any(AF_INET);
    check_any(AF_INET6);
    check_refused(AF_INET);
    check_refused(AF_INET6);
    check_at_once(AF_INET);
    check_at_once(AF_INET6);
    check_values();
    check_descriptors();
    check_interface(AF_INET);
    check_interface(AF_UNIX);
    puts("END");
    puts("PASS");
    return 0;
}
