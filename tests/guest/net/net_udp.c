// Sends every datagram back to where it came from, until one says "end"; net_udp.py is the peer.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @link net virtio_net virtio_rng
// @script net_udp.py

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    static char data[9000];
    int echo = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(echo >= 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(7)};
    here.sin_addr.s_addr = htonl(INADDR_ANY);
    CHECK(bind(echo, (struct sockaddr *)&here, sizeof(here)) == 0);
    CHECK(recv(echo, data, sizeof(data), MSG_DONTWAIT) == -1 && (errno == EAGAIN || errno == EWOULDBLOCK));
    puts("ready");
    for (unsigned long count = 0;; count++) {
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof(peer);
        struct pollfd watched = {.fd = echo, .events = POLLIN};
        CHECK(poll(&watched, 1, 20000) == 1 && watched.revents == POLLIN);
        ssize_t size = recvfrom(echo, data, sizeof(data), 0, (struct sockaddr *)&peer, &length);
        CHECK(size >= 0);
        CHECK(length == sizeof(peer) && peer.sin_family == AF_INET);
        if (size == 3 && memcmp(data, "end", 3) == 0) {
            printf("%lu datagrams\n", count);
            break;
        }
        CHECK(sendto(echo, data, (size_t)size, 0, (struct sockaddr *)&peer, length) == size);
    }
    CHECK(close(echo) == 0);
    return passed();
}
