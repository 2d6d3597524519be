// What `ci/bench net` talks to, on libbaremetal and on Linux: echo (7), discard (9), a stream (19).
// SPDX-License-Identifier: MIT
//
// A stream has the program for itself until it ends. Port 9 takes bytes until the client ends its side and
// answers with their number; port 19 is told a number and sends as many. Numbers are 8 bytes, most
// significant first.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ECHO = 7, DISCARD = 9, STREAM = 19, CLIENTS_MAX = 64, PIECE = 65536, SMALL = 2048 };
enum { AT_ECHO, AT_DATAGRAMS, AT_DISCARD, AT_STREAM, AT_CLIENTS };

static struct pollfd polled[AT_CLIENTS + CLIENTS_MAX];
static char piece[PIECE];

static int open_socket(int type, uint16_t port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int yes = 1, descriptor = socket(AF_INET, type, 0);
    if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        (type == SOCK_STREAM && listen(descriptor, CLIENTS_MAX) < 0)) {
        perror("net");
        exit(1);
    }
    return descriptor;
}

static int send_all(int descriptor, const char *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(descriptor, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 0;
}

static void put_number(unsigned char bytes[8], uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        bytes[i] = (unsigned char)number;
}

static uint64_t get_number(const unsigned char bytes[8])
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void discard(int descriptor)
{
    uint64_t total = 0;
    unsigned char number[8];
    ssize_t got;
    while ((got = recv(descriptor, piece, sizeof(piece), 0)) > 0)
        total += (uint64_t)got;
    put_number(number, total);
    if (got == 0)
        send_all(descriptor, (const char *)number, sizeof(number));
}

static void stream(int descriptor)
{
    unsigned char number[8];
    if (recv(descriptor, number, sizeof(number), MSG_WAITALL) != sizeof(number))
        return;
    uint64_t left = get_number(number);
    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)i;
    while (left) {
        size_t size = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        if (send_all(descriptor, piece, size))
            return;
        left -= size;
    }
}

static void serve(int listener, void (*to_the_end)(int))
{
    int descriptor = accept(listener, NULL, NULL);
    if (descriptor < 0)
        return;
    to_the_end(descriptor);
    close(descriptor);
}

static void accept_client(void)
{
    const int yes = 1, descriptor = accept(polled[AT_ECHO].fd, NULL, NULL);
    for (int i = AT_CLIENTS; descriptor >= 0 && i < AT_CLIENTS + CLIENTS_MAX; i++) {
        if (polled[i].fd < 0) {
            setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
            polled[i] = (struct pollfd){.fd = descriptor, .events = POLLIN};
            return;
        }
    }
    if (descriptor >= 0)
        close(descriptor); // all places are taken
}

static void echo_datagram(void)
{
    char datagram[SMALL];
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    ssize_t size =
        recvfrom(polled[AT_DATAGRAMS].fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &length);
    if (size >= 0)
        sendto(polled[AT_DATAGRAMS].fd, datagram, (size_t)size, 0, (struct sockaddr *)&from, length);
}

static void echo_bytes(struct pollfd *p)
{
    char bytes[SMALL];
    ssize_t size = recv(p->fd, bytes, sizeof(bytes), 0);
    if (size > 0 && send_all(p->fd, bytes, (size_t)size) == 0)
        return;
    close(p->fd);
    p->fd = -1;
}

int main(void)
{
    for (int i = AT_CLIENTS; i < AT_CLIENTS + CLIENTS_MAX; i++)
        polled[i].fd = -1; // poll() passes it over
    polled[AT_DATAGRAMS] = (struct pollfd){.fd = open_socket(SOCK_DGRAM, ECHO), .events = POLLIN};
    polled[AT_DISCARD] = (struct pollfd){.fd = open_socket(SOCK_STREAM, DISCARD), .events = POLLIN};
    polled[AT_STREAM] = (struct pollfd){.fd = open_socket(SOCK_STREAM, STREAM), .events = POLLIN};
    polled[AT_ECHO] = (struct pollfd){.fd = open_socket(SOCK_STREAM, ECHO), .events = POLLIN};
    for (;;) {
        if (poll(polled, AT_CLIENTS + CLIENTS_MAX, -1) < 0 && errno != EINTR)
            return 1;
        if (polled[AT_DISCARD].revents)
            serve(polled[AT_DISCARD].fd, discard);
        if (polled[AT_STREAM].revents)
            serve(polled[AT_STREAM].fd, stream);
        if (polled[AT_DATAGRAMS].revents)
            echo_datagram();
        for (int i = AT_CLIENTS; i < AT_CLIENTS + CLIENTS_MAX; i++)
            if (polled[i].fd >= 0 && polled[i].revents)
                echo_bytes(&polled[i]);
        if (polled[AT_ECHO].revents)
            accept_client();
    }
}
