// Sends to the host and ends at once; net_finish.py receives.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net virtio_net virtio_rng
// @script net_finish.py

#include <arpa/inet.h>
#include <baremetal/socket.h>
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

static struct bm_socket *connected_without_descriptor(int type)
{
    union bm_socket_address host = {.ip4 = {.family = BM_AF_INET, .port = htons(PORT)}};
    struct bm_socket *socket;
    host.ip4.address = inet_addr("10.7.0.1");
    CHECK(bm_socket_open(BM_AF_INET, type, 0, &socket) == 0);
    CHECK(bm_socket_connect(socket, &host, sizeof(host)) == 0);
    return socket;
}

static void send_without_descriptors(const unsigned char *data)
{
    struct bm_socket *stream = connected_without_descriptor(BM_SOCK_STREAM),
                     *datagrams = connected_without_descriptor(BM_SOCK_DGRAM);
    CHECK(bm_socket_send(stream, data, SIZE, 0, NULL, 0) == SIZE);
    for (unsigned char i = 0; i < DATAGRAMS; i++)
        CHECK(bm_socket_send(datagrams, &i, 1, 0, NULL, 0) == 1);
}

int main(int argc, char **argv)
{
    static unsigned char data[SIZE];
    for (unsigned i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    puts("ready");
    CHECK(getchar() == '\n'); // net_finish.py listens
    if (argc > 1 && strcmp(argv[1], "service") == 0) {
        send_without_descriptors(data);
        return passed();
    }
    int stream = connected(SOCK_STREAM), datagrams = connected(SOCK_DGRAM);
    CHECK(send(stream, data, SIZE, 0) == SIZE); // fits the stack's own memory
    for (unsigned char i = 0; i < DATAGRAMS; i++)
        CHECK(send(datagrams, &i, 1, 0) == 1);
    return passed();
}
