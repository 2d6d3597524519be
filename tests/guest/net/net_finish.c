// Sends to the host and ends at once; net_finish.py receives.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net virtio_net virtio_rng
// @script net_finish.py

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

enum { PORT = 7008, SIZE = 100000, DATAGRAMS = 20 };

static int connected(int type)
{
    struct sockaddr_in host = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    CHECK(inet_pton(AF_INET, "10.7.0.1", &host.sin_addr) == 1);
    int descriptor = socket(AF_INET, type, 0);
    CHECK(descriptor >= 0);
    CHECK(connect(descriptor, (const struct sockaddr *)&host, sizeof(host)) == 0);
    return descriptor;
}

int main(void)
{
    static unsigned char data[SIZE];
    for (unsigned i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    puts("ready");
    CHECK(getchar() == '\n'); // net_finish.py listens
    int stream = connected(SOCK_STREAM), datagrams = connected(SOCK_DGRAM);
    CHECK(send(stream, data, SIZE, 0) == SIZE); // fits the stack's own memory
    for (unsigned char i = 0; i < DATAGRAMS; i++)
        CHECK(send(datagrams, &i, 1, 0) == 1);
    return passed();
}
