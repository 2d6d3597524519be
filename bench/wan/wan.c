// What `ci/bench wan` talks to, on libbaremetal and on Linux: discard (9) and a stream (19), IPv4 and IPv6.
// SPDX-License-Identifier: MIT
//
// Port 9 takes bytes until the client ends its side, compares them with the pattern, and answers with the
// number of those that came before the first wrong one; port 19 is told a number and sends as many of the
// pattern. Numbers are 8 bytes, most significant first. Many clients at once.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DISCARD = 9, STREAM = 19, CLIENTS_MAX = 64, AT_DISCARD = 0, AT_STREAM = 1, AT_CLIENTS = 2 };
enum { PERIOD = 65521, PIECE = 65536 }; // of the pattern: a prime, so that no segment looks like another

struct client {
    bool sends, wrong;
    uint64_t number; // discard: right bytes received; stream: bytes to send
    uint64_t sent;
    unsigned told; // stream: bytes of the number that have come
};

static struct pollfd polled[AT_CLIENTS + CLIENTS_MAX];
static struct client clients[CLIENTS_MAX];
static unsigned char pattern[PERIOD + PIECE], piece[PIECE];

static void make_pattern(void)
{
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof(pattern); i++) {
        random = random * 1664525 + 1013904223;
        pattern[i] = i < PERIOD ? (unsigned char)(random >> 24) : pattern[i - PERIOD];
    }
}

// Linux remembers what it learnt of a peer for the next connection; here each path is to be met for the first
// time. Elsewhere there is no such file.
static void forget_peers(void)
{
    const int file = open("/proc/sys/net/ipv4/tcp_no_metrics_save", O_WRONLY);
    if (file < 0)
        return;
    if (write(file, "1", 1) != 1)
        perror("tcp_no_metrics_save");
    close(file);
}

static int open_listener(uint16_t port)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const int yes = 1, no = 0, s = socket(AF_INET6, SOCK_STREAM, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
        setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) ||
        bind(s, (const struct sockaddr *)&address, sizeof(address)) || listen(s, CLIENTS_MAX)) {
        perror("wan");
        exit(1);
    }
    return s;
}

static void end(int i)
{
    close(polled[AT_CLIENTS + i].fd);
    polled[AT_CLIENTS + i].fd = -1;
}

static bool is_transient(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

static void discard(int i)
{
    struct client *c = &clients[i];
    const ssize_t got = recv(polled[AT_CLIENTS + i].fd, piece, sizeof(piece), MSG_DONTWAIT);
    if (got > 0) {
        c->wrong |= memcmp(piece, pattern + c->number % PERIOD, (size_t)got) != 0;
        if (!c->wrong)
            c->number += (uint64_t)got;
    } else if (got == 0) {
        unsigned char bytes[8];
        for (int j = 7; j >= 0; j--, c->number >>= 8)
            bytes[j] = (unsigned char)c->number;
        if (send(polled[AT_CLIENTS + i].fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
            perror("wan: answer");
        end(i);
    } else if (!is_transient(got)) {
        end(i);
    }
}

static void hear_number(int i)
{
    struct client *c = &clients[i];
    unsigned char bytes[8];
    const ssize_t got = recv(polled[AT_CLIENTS + i].fd, bytes, 8 - c->told, MSG_DONTWAIT);
    if (got <= 0) {
        if (!is_transient(got))
            end(i);
        return;
    }
    for (ssize_t j = 0; j < got; j++)
        c->number = c->number << 8 | bytes[j];
    c->told += (unsigned)got;
    if (c->told == 8)
        polled[AT_CLIENTS + i].events = POLLOUT;
}

static void stream(int i)
{
    struct client *c = &clients[i];
    const uint64_t left = c->number - c->sent;
    const ssize_t sent = send(polled[AT_CLIENTS + i].fd, pattern + c->sent % PERIOD,
                              left < PIECE ? (size_t)left : PIECE, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        c->sent += (uint64_t)sent;
    if (c->sent == c->number || (sent < 0 && !is_transient(sent)))
        end(i);
}

static void serve(int i)
{
    if (!clients[i].sends)
        discard(i);
    else if (clients[i].told < 8)
        hear_number(i);
    else
        stream(i);
}

static void accept_client(int listener)
{
    const int s = accept(polled[listener].fd, NULL, NULL);
    for (int i = 0; s >= 0 && i < CLIENTS_MAX; i++) {
        if (polled[AT_CLIENTS + i].fd < 0) {
            polled[AT_CLIENTS + i] = (struct pollfd){.fd = s, .events = POLLIN};
            clients[i] = (struct client){.sends = listener == AT_STREAM};
            return;
        }
    }
    if (s >= 0)
        close(s); // all places are taken
}

int main(void)
{
    make_pattern();
    forget_peers();
    for (int i = 0; i < CLIENTS_MAX; i++)
        polled[AT_CLIENTS + i].fd = -1; // poll() passes it over
    polled[AT_DISCARD] = (struct pollfd){.fd = open_listener(DISCARD), .events = POLLIN};
    polled[AT_STREAM] = (struct pollfd){.fd = open_listener(STREAM), .events = POLLIN};
    puts("wan: serving");
    fflush(stdout);
    for (;;) {
        if (poll(polled, AT_CLIENTS + CLIENTS_MAX, -1) < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < CLIENTS_MAX; i++)
            if (polled[AT_CLIENTS + i].fd >= 0 && polled[AT_CLIENTS + i].revents)
                serve(i);
        for (int i = AT_DISCARD; i <= AT_STREAM; i++)
            if (polled[i].revents)
                accept_client(i);
    }
}
