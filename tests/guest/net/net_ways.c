// The way out of a machine with several networks: for each line of the console a connection to a host that is
// in none of them; net_ways.py is the peer, and says by which it came.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl
// @link net virtio_net virtio_rng
// @script net_ways.py

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(7)};
    CHECK(inet_pton(AF_INET, argv[1], &there.sin_addr) == 1);
    puts("net_ways: ready");
    char line[16];
    while (fgets(line, sizeof line, stdin) && line[0] != 'q') {
        char here[32] = {0};
        struct sockaddr_in own;
        socklen_t length = sizeof own;
        int client = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(client >= 0);
        CHECK(connect(client, (struct sockaddr *)&there, sizeof there) == 0);
        CHECK(getsockname(client, (struct sockaddr *)&own, &length) == 0);
        CHECK(recv(client, here, sizeof here - 1, 0) > 0); // the peer sees the same address
        CHECK(strcmp(here, inet_ntoa(own.sin_addr)) == 0);
        CHECK(close(client) == 0);
        printf("net_ways: by %s\n", here);
    }
    return passed();
}
