// TCP_CORK and MSG_MORE: small writes leave as one segment; net_cork.py is the peer and counts them.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl
// @link net virtio_net virtio_rng
// @script net_cork.py

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static void cork(int connection, int on)
{
    int value = !on;
    socklen_t size = sizeof value;
    CHECK(setsockopt(connection, IPPROTO_TCP, TCP_CORK, &on, sizeof on) == 0);
    CHECK(getsockopt(connection, IPPROTO_TCP, TCP_CORK, &value, &size) == 0 && value == on);
}

static void put(int connection, const char *text, int flags)
{
    CHECK(send(connection, text, strlen(text), flags) == (ssize_t)strlen(text));
}

// The peer has all of it, and has acknowledged it.
static void await(int connection)
{
    char byte;
    CHECK(recv(connection, &byte, 1, 0) == 1);
}

static void serve(int connection)
{
    static char large[2000];
    await(connection);
    cork(connection, 1);
    put(connection, "one ", 0);
    put(connection, "two ", 0);
    put(connection, "three", 0);
    cork(connection, 0);
    await(connection);
    put(connection, "four ", MSG_MORE);
    put(connection, "five", 0);
    await(connection);
    memset(large, 'x', sizeof large);
    cork(connection, 1);
    CHECK(send(connection, large, sizeof large, 0) == sizeof large);
    put(connection, "six", 0);
    cork(connection, 0);
    await(connection);
    cork(connection, 1);
    put(connection, "late", 0); // nobody uncorks it
    await(connection);
    put(connection, "bye", 0);
    close(connection);
}

int main(void)
{
    int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7)};
    CHECK(bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 4) == 0);
    CHECK(setsockopt(server, IPPROTO_TCP, TCP_CORK, &on, 1) == -1); // too short
    puts("ready");
    fflush(stdout);
    serve(accept(server, NULL, NULL));
    close(server);
    return passed();
}
