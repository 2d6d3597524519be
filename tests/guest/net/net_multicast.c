// Joins two groups, sends every datagram back, and leaves when one says so; net_multicast.py is the peer.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net virtio_net virtio_rng e1000 e1000e vmxnet3
// @script net_multicast.py

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { PORT = 7007 };

static struct ip_mreq group4;
static struct ipv6_mreq group6 = {.ipv6mr_interface = 0};

static void change(int ipv4, int ipv6, int name4, int name6)
{
    CHECK(setsockopt(ipv4, IPPROTO_IP, name4, &group4, sizeof(group4)) == 0);
    CHECK(setsockopt(ipv6, IPPROTO_IPV6, name6, &group6, sizeof(group6)) == 0);
}

static int opened(int family, const void *address, socklen_t length)
{
    const int on = 1;
    int descriptor = socket(family, SOCK_DGRAM, 0);
    CHECK(descriptor >= 0);
    if (family == AF_INET6) // else it would want the IPv4 port, too
        CHECK(setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
    CHECK(bind(descriptor, address, length) == 0);
    return descriptor;
}

// Returns false when the datagram said that it is over.
static bool echo(int descriptor)
{
    char data[2000];
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    ssize_t size = recvfrom(descriptor, data, sizeof(data), 0, (struct sockaddr *)&peer, &length);
    CHECK(size >= 0);
    CHECK(sendto(descriptor, data, (size_t)size, 0, (struct sockaddr *)&peer, length) == size);
    return size != 5 || memcmp(data, "leave", 5) != 0;
}

int main(void)
{
    struct sockaddr_in here4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 here6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    CHECK(inet_pton(AF_INET, "239.7.7.7", &group4.imr_multiaddr) == 1);
    CHECK(inet_pton(AF_INET6, "ff15::7", &group6.ipv6mr_multiaddr) == 1);
    int ipv4 = opened(AF_INET, &here4, sizeof(here4)), ipv6 = opened(AF_INET6, &here6, sizeof(here6));
    change(ipv4, ipv6, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP);
    puts("ready");
    while (echo(ipv4))
        ;
    while (echo(ipv6))
        ;
    change(ipv4, ipv6, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP);
    CHECK(close(ipv4) == 0 && close(ipv6) == 0);
    CHECK(getchar() == '\n'); // all has arrived: what QEMU has not sent is lost when the machine goes off
    return passed();
}
