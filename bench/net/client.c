// The host's side of `ci/bench net`: streams to and from a guest, small echoes. Prints one line of JSON.
// SPDX-License-Identifier: MIT
//
//   client in ADDRESS BYTES             sends a stream to port 9; the guest says how much came
//   client out ADDRESS BYTES            takes a stream from port 19, and looks at every byte
//   client tcp|udp ADDRESS COUNT N      COUNT echoes of 64 bytes by port 7, N sockets with one under way on
//   each
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ECHO = 7,
    DISCARD = 9,
    STREAM = 19,
    PIECE = 65536,
    MESSAGE = 64,
    SOCKETS_MAX = 64,
    PATIENCE_MS = 1000
};

struct echo {
    int descriptor;
    uint64_t number, sent_at; // of the message under way; 0 when none is
};

static char piece[PIECE];
static struct echo echoes[SOCKETS_MAX];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, errno ? strerror(errno) : "not as it must be");
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int open_connection(const char *address, int type, uint16_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int yes = 1, descriptor = socket(AF_INET, type, 0);
    const struct timeval patience = {.tv_sec = 20};
    if (inet_pton(AF_INET, address, &where.sin_addr) != 1)
        die("address");
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&where, sizeof(where)) < 0)
        die("connect");
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (type == SOCK_STREAM)
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return descriptor;
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

static void stream_in(const char *address, uint64_t bytes)
{
    unsigned char number[8];
    int descriptor = open_connection(address, SOCK_STREAM, DISCARD);
    uint64_t left = bytes, begin = now();
    while (left) {
        ssize_t sent = send(descriptor, piece, left < PIECE ? (size_t)left : PIECE, MSG_NOSIGNAL);
        if (sent <= 0)
            die("send");
        left -= (uint64_t)sent;
    }
    shutdown(descriptor, SHUT_WR);
    if (recv(descriptor, number, sizeof(number), MSG_WAITALL) != sizeof(number))
        die("the number of bytes that arrived");
    uint64_t end = now();
    errno = 0;
    if (get_number(number) != bytes)
        die("the number of bytes that arrived");
    printf("{\"ns\": %llu, \"bytes\": %llu}\n", (unsigned long long)(end - begin), (unsigned long long)bytes);
}

static void stream_out(const char *address, uint64_t bytes)
{
    static char expected[PIECE + 256];
    unsigned char number[8];
    for (size_t i = 0; i < sizeof(expected); i++)
        expected[i] = (char)i;
    int descriptor = open_connection(address, SOCK_STREAM, STREAM);
    uint64_t begin = now(), total = 0;
    put_number(number, bytes);
    if (send(descriptor, number, sizeof(number), MSG_NOSIGNAL) != sizeof(number))
        die("send");
    for (;;) {
        ssize_t got = recv(descriptor, piece, sizeof(piece), 0);
        if (got < 0)
            die("receive");
        if (got == 0)
            break;
        errno = 0;
        if (memcmp(piece, expected + total % 256, (size_t)got))
            die("bytes of the stream");
        total += (uint64_t)got;
    }
    uint64_t end = now();
    errno = 0;
    if (total != bytes)
        die("length of the stream");
    printf("{\"ns\": %llu, \"bytes\": %llu}\n", (unsigned long long)(end - begin), (unsigned long long)bytes);
}

static void send_message(struct echo *echo, uint64_t number)
{
    unsigned char message[MESSAGE] = {0};
    put_number(message, number);
    echo->number = number;
    echo->sent_at = now();
    if (send(echo->descriptor, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
        die("send");
}

// Takes what came; true when it is the answer to the message under way, and no late one that was given up.
static bool receive_message(struct echo *echo)
{
    unsigned char message[MESSAGE];
    if (recv(echo->descriptor, message, sizeof(message), MSG_WAITALL) != sizeof(message))
        die("receive");
    return get_number(message) == echo->number;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int open_echoes(const char *address, int type, unsigned sockets)
{
    int set = epoll_create1(0);
    for (unsigned i = 0; i < sockets; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &echoes[i]};
        echoes[i].descriptor = open_connection(address, type, ECHO);
        if (epoll_ctl(set, EPOLL_CTL_ADD, echoes[i].descriptor, &event) < 0)
            die("epoll");
    }
    return set;
}

// A datagram without an answer for PATIENCE_MS counts as lost, and another one goes out.
static uint64_t send_again(unsigned sockets, uint64_t *next)
{
    uint64_t lost = 0;
    for (unsigned i = 0; i < sockets; i++)
        if (echoes[i].number && now() - echoes[i].sent_at > PATIENCE_MS * 1000000ull) {
            send_message(&echoes[i], ++*next);
            lost++;
        }
    return lost;
}

static void echo(const char *address, int type, uint64_t count, unsigned sockets)
{
    uint64_t *times = calloc(count, sizeof(*times)), next = 0, done = 0, lost = 0;
    int set = open_echoes(address, type, sockets);
    if (!times)
        die("memory");
    uint64_t begin = now();
    for (unsigned i = 0; i < sockets; i++)
        send_message(&echoes[i], ++next);
    while (done < count) {
        struct epoll_event events[SOCKETS_MAX];
        int ready = epoll_wait(set, events, SOCKETS_MAX, PATIENCE_MS);
        if (ready == 0 && type == SOCK_STREAM) {
            errno = ETIMEDOUT;
            die("an echo by TCP");
        }
        if (ready == 0 && (lost += send_again(sockets, &next)) > count)
            die("echoes");
        for (int i = 0; i < ready; i++) {
            struct echo *one = events[i].data.ptr;
            if (!receive_message(one))
                continue;
            if (done < count)
                times[done++] = now() - one->sent_at;
            one->number = 0;
            if (next < count + lost)
                send_message(one, ++next);
        }
    }
    uint64_t end = now();
    qsort(times, count, sizeof(*times), compare_numbers);
    printf("{\"ns\": %llu, \"count\": %llu, \"lost\": %llu, \"p50\": %llu, \"p99\": %llu}\n",
           (unsigned long long)(end - begin), (unsigned long long)count, (unsigned long long)lost,
           (unsigned long long)times[count / 2], (unsigned long long)times[count * 99 / 100]);
}

int main(int argc, char **argv)
{
    uint64_t number = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    unsigned sockets = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1;
    if (number && argc == 4 && !strcmp(argv[1], "in"))
        stream_in(argv[2], number);
    else if (number && argc == 4 && !strcmp(argv[1], "out"))
        stream_out(argv[2], number);
    else if (number && argc == 5 && sockets && sockets <= SOCKETS_MAX && !strcmp(argv[1], "tcp"))
        echo(argv[2], SOCK_STREAM, number, sockets);
    else if (number && argc == 5 && sockets && sockets <= SOCKETS_MAX && !strcmp(argv[1], "udp"))
        echo(argv[2], SOCK_DGRAM, number, sockets);
    else {
        fprintf(stderr, "usage: client in|out ADDRESS BYTES, or client tcp|udp ADDRESS COUNT SOCKETS\n");
        return 2;
    }
    return 0;
}
