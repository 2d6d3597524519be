// Without a network device a network program says so and goes on: sockets work, nothing can be reached.
// SPDX-License-Identifier: MIT
// @link net drivers
// @expect ^warning: net: no network device.*-pci,netdev=n, on microvm -device virtio-net-device
// @memory 16
// @run nothing
// @run a device that cannot be seen
// @machines microvm
// @cpus max
// @argument -machine pcie=on -netdev user,id=n,restrict=on
// @device virtio-net-pci,netdev=n,romfile=

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(80)};
    CHECK(inet_pton(AF_INET, "192.0.2.1", &there.sin_addr) == 1);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0);
    errno = 0;
    CHECK(connect(client, (struct sockaddr *)&there, sizeof(there)) == -1);
    CHECK(errno == ENETUNREACH || errno == EHOSTUNREACH);
    CHECK(close(client) == 0);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(80)};
    CHECK(bind(server, (struct sockaddr *)&here, sizeof(here)) == 0);
    CHECK(listen(server, 8) == 0);
    CHECK(close(server) == 0);
    return passed();
}
