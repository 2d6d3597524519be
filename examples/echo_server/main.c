// Sends back what it receives on port 7, TCP and UDP, IPv4 and IPv6 (RFC 862): BSD sockets and poll().
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 7, CLIENTS_MAX = 64, BUFFER_SIZE = 4096, LISTENER = 0, DATAGRAMS = 1, CLIENTS = 2 };

// A client's bytes on their way back. While some are left nothing more is read from it, so one that sends
// without reading fills its own window and nothing else.
struct client {
    size_t begin, end;
    char buffer[BUFFER_SIZE];
};

static struct pollfd polled[CLIENTS + CLIENTS_MAX];
static struct client clients[CLIENTS_MAX];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "echo_server: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void set_nonblocking(int descriptor)
{
    if (fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) < 0)
        die("fcntl");
}

// A socket on PORT of every address. An IPv6 socket takes IPv4 as well unless it is told not to.
static int open_socket(int type)
{
    const struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT, .sin6_port = htons(PORT)};
    const int both = 0;
    const int descriptor = socket(AF_INET6, type, 0);
    if (descriptor < 0)
        die("socket");
    if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)) < 0)
        die("setsockopt");
    if (bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) < 0)
        die("bind");
    set_nonblocking(descriptor);
    return descriptor;
}

static void accept_client(void)
{
    const int descriptor = accept(polled[LISTENER].fd, NULL, NULL);
    if (descriptor < 0)
        return; // gone again, or no memory for it now
    for (int i = 0; i < CLIENTS_MAX; i++) {
        if (polled[CLIENTS + i].fd < 0) {
            set_nonblocking(descriptor);
            polled[CLIENTS + i] = (struct pollfd){.fd = descriptor, .events = POLLIN};
            clients[i].begin = clients[i].end = 0;
            return;
        }
    }
    close(descriptor); // all places are taken
}

static void echo_datagram(void)
{
    static char datagram[65536];
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    const ssize_t size =
        recvfrom(polled[DATAGRAMS].fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &length);
    if (size >= 0) // what cannot be sent now is lost, as UDP may
        sendto(polled[DATAGRAMS].fd, datagram, (size_t)size, 0, (const struct sockaddr *)&from, length);
}

// Moves a client's bytes as far as they go now. Returns false when the connection is over.
static bool echo_bytes(struct client *client, struct pollfd *p)
{
    if (client->begin == client->end) {
        const ssize_t size = recv(p->fd, client->buffer, sizeof(client->buffer), 0);
        if (size < 0)
            return errno == EAGAIN || errno == EINTR;
        if (size == 0)
            return false; // the client has ended its side, and everything is sent
        client->begin = 0;
        client->end = (size_t)size;
    }
    const ssize_t size =
        send(p->fd, client->buffer + client->begin, client->end - client->begin, MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    if (size > 0)
        client->begin += (size_t)size;
    p->events = client->begin < client->end ? POLLOUT : POLLIN;
    return true;
}

int main(void)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        polled[CLIENTS + i].fd = -1; // poll() passes it over
    polled[LISTENER] = (struct pollfd){.fd = open_socket(SOCK_STREAM), .events = POLLIN};
    polled[DATAGRAMS] = (struct pollfd){.fd = open_socket(SOCK_DGRAM), .events = POLLIN};
    if (listen(polled[LISTENER].fd, CLIENTS_MAX) < 0)
        die("listen");
    printf("echo_server: port %d, TCP and UDP\n", PORT);

    for (;;) {
        if (poll(polled, CLIENTS + CLIENTS_MAX, -1) < 0 && errno != EINTR)
            die("poll");
        if (polled[LISTENER].revents != 0)
            accept_client();
        if (polled[DATAGRAMS].revents != 0)
            echo_datagram();
        for (int i = 0; i < CLIENTS_MAX; i++) {
            struct pollfd *p = &polled[CLIENTS + i];
            if (p->fd >= 0 && p->revents != 0 && !echo_bytes(&clients[i], p)) {
                close(p->fd);
                p->fd = -1;
            }
        }
    }
}
