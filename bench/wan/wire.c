// The wire of `ci/bench wan`: between QEMU guests (-netdev dgram over unix sockets) and a tap of the host's.
// SPDX-License-Identifier: MIT
//
// wire TAP_DESCRIPTOR CONTROL_SOCKET MAC=GUEST_SOCKET=HOST_SOCKET...
//
// Each address of the host (its last byte, IPv4 and IPv6) is a path of its own, with a link out of the guests
// and one into them, that all guests share. What is of the link alone (ARP, neighbour discovery) passes at
// once; a path that was never set has no faults. Each command is a datagram to CONTROL_SOCKET, answered by
// one:
//   set WORDS              control.h; forgets what the path had and counted
//   stats NUMBER           counters of a path, as JSON
//   capture FILE | off     what guests send and get, as they see it (pcap)
// Answers that are no JSON are "ok", or begin with "error: ". It prints "ready" and runs until it is ended.
#define _GNU_SOURCE
#include "control.h"
#include "flow.h"
#include "frame.h"
#include "transit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { GUESTS_MAX = 8, BATCH = 64, COMMAND_MAX = 1024, ANSWER_MAX = 2048 };
enum { BUFFERS = 8 << 20, RETRY = 100000 }; // bytes; ns after which a full socket is tried again
#define SECOND 1000000000

struct route {
    struct path ways[2];
    struct path_state states[2];
    struct drop drops[2];
    uint64_t dropped[2], data[2], again[2], behind_max[2];
};

struct guest {
    uint8_t mac[6];
    int socket;
    struct sockaddr_un to;
    struct frame *first, **last; // wait: QEMU's socket is full
};

static struct route routes[PATHS];
static struct guest guests[GUESTS_MAX];
static unsigned guest_count;
static struct flows flows;
static struct transit transit;
static uint64_t spilled[2]; // frames without room here
static int tap;
static FILE *capture;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

// ---- Capture: pcap(5), with microseconds
static const char *capture_open(const char *name)
{
    static const uint32_t head[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
    if (capture)
        fclose(capture);
    capture = NULL;
    if (!strcmp(name, "off"))
        return "ok";
    capture = fopen(name, "wbe");
    if (!capture || fwrite(head, sizeof(head), 1, capture) != 1)
        return "error: the file of the capture cannot be written";
    return "ok";
}

static void capture_frame(const struct frame *frame)
{
    if (!capture)
        return;
    const uint64_t t = now() / 1000;
    const uint32_t head[4] = {(uint32_t)(t / 1000000), (uint32_t)(t % 1000000), frame->size, frame->size};
    if (fwrite(head, sizeof(head), 1, capture) != 1 || fwrite(frame->bytes, frame->size, 1, capture) != 1)
        fail("capture");
}

// ---- Delivery
// False: there is no room, and there may be some later. A guest that has ended takes everything.
static bool send_to_guest(struct guest *guest, const struct frame *frame)
{
    if (sendto(guest->socket, frame->bytes, frame->size, MSG_DONTWAIT, (struct sockaddr *)&guest->to,
               sizeof(guest->to)) < 0)
        return errno != EAGAIN && errno != ENOBUFS;
    capture_frame(frame);
    return true;
}

static void flush_guest(struct guest *guest)
{
    for (struct frame *frame; (frame = guest->first) && send_to_guest(guest, frame);) {
        guest->first = frame->next;
        if (!guest->first)
            guest->last = &guest->first;
        transit_free(&transit, frame);
    }
}

static void deliver(struct frame *frame)
{
    if (frame->way == OUT) {
        if (write(tap, frame->bytes, frame->size) < 0) {
            if (errno != EAGAIN && errno != ENOBUFS && errno != EIO) // EIO: it is not up
                fail("tap");
            spilled[OUT]++;
        }
        transit_free(&transit, frame);
        return;
    }
    struct guest *guest = &guests[frame->guest];
    frame->next = NULL;
    *guest->last = frame;
    guest->last = &frame->next;
    flush_guest(guest);
}

static void deliver_due(uint64_t t)
{
    for (struct frame *frame; (frame = transit_next(&transit)) && frame->when <= t;) {
        const uint64_t behind = (t - frame->when) / 1000;
        uint64_t *max = &routes[frame->path].behind_max[frame->way];
        if (behind > *max)
            *max = behind;
        deliver(transit_take(&transit));
    }
}

// ---- What a path does
static bool is_dropped(struct route *route, const struct frame *frame, const struct frame_view *view)
{
    struct drop *drop = &route->drops[frame->way];
    const struct flow_place place = flow_note(&flows, view, frame->guest, frame->path, frame->way == OUT);
    if (!place.known)
        return false;
    route->data[frame->way] += view->data;
    route->again[frame->way] += place.again < view->data ? place.again : view->data;
    if (!drop->times || drop->place - place.at >= view->length)
        return false;
    drop->times--;
    route->dropped[frame->way]++;
    return true;
}

static void travel(struct frame *frame)
{
    struct frame_view view;
    frame_read(frame->bytes, frame->size, &view);
    if (view.kind == FRAME_MALFORMED) {
        transit_free(&transit, frame);
        return;
    }
    if (view.kind == FRAME_LOCAL) {
        deliver(frame);
        return;
    }
    frame->path = frame->way == OUT ? view.destination : view.source;
    struct route *route = &routes[frame->path];
    const struct path_fate fate =
        path_send(&route->ways[frame->way], &route->states[frame->way], now(), frame->size);
    const bool dropped = view.tcp && is_dropped(route, frame, &view);
    if (dropped || fate.end != PATH_ARRIVES) {
        transit_free(&transit, frame);
        return;
    }
    frame->when = fate.at;
    struct frame *copy = fate.twice ? transit_new(&transit) : NULL;
    spilled[frame->way] += fate.twice && !copy;
    if (copy) {
        memcpy(copy, frame, sizeof(*copy));
        transit_put(&transit, copy);
    }
    transit_put(&transit, frame);
}

// ---- Frames come in
// A frame of `size` bytes, as recv() and read() return them; false: there was none.
static bool take(struct frame *frame, ssize_t size, unsigned way, unsigned guest)
{
    if (size <= 0 || size > FRAME_ROOM) {
        transit_free(&transit, frame);
        return size > 0;
    }
    frame->size = (uint16_t)size;
    frame->way = (uint8_t)way;
    frame->guest = (uint8_t)guest;
    if (way == OUT)
        capture_frame(frame);
    travel(frame);
    return true;
}

static void read_guest(unsigned number)
{
    for (int i = 0; i < BATCH; i++) {
        struct frame *frame = transit_new(&transit);
        if (!frame)
            return; // they wait in the socket
        // MSG_TRUNC: the true size is returned when the frame has no room.
        if (!take(frame, recv(guests[number].socket, frame->bytes, FRAME_ROOM, MSG_DONTWAIT | MSG_TRUNC), OUT,
                  number))
            return;
    }
}

static void read_tap(void)
{
    uint8_t bytes[FRAME_ROOM];
    for (int i = 0; i < BATCH; i++) {
        const ssize_t size = read(tap, bytes, sizeof(bytes));
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            fail("tap");
        if (size < 6)
            return;
        for (unsigned g = 0; g < guest_count; g++) {
            if (!(bytes[0] & 1) && memcmp(bytes, guests[g].mac, 6))
                continue;
            struct frame *frame = transit_new(&transit);
            if (!frame) {
                spilled[IN]++;
                continue;
            }
            memcpy(frame->bytes, bytes, (size_t)size);
            take(frame, size, IN, g);
        }
    }
}

// ---- Commands
static const char *set(char *words)
{
    struct setting setting;
    static char answer[128];
    const char *problem = control_read(words, &setting);
    if (problem) {
        snprintf(answer, sizeof(answer), "error: %s", problem);
        return answer;
    }
    struct route *route = &routes[setting.path];
    *route = (struct route){0};
    for (unsigned way = IN; way <= OUT; way++) {
        route->ways[way] = setting.ways[way];
        route->drops[way] = setting.drops[way];
        path_start(&route->states[way], 2 * setting.seed + way);
    }
    return "ok";
}

static const char *statistics(const char *number)
{
    static char answer[ANSWER_MAX];
    char *end;
    const unsigned long path = strtoul(number, &end, 10);
    if (end == number || *end || path >= PATHS)
        return "error: the path is no number below 256";
    const struct route *route = &routes[path];
    struct report reports[2];
    for (unsigned way = IN; way <= OUT; way++)
        reports[way] = (struct report){.path = &route->states[way].counters,
                                       .dropped = route->dropped[way],
                                       .data = route->data[way],
                                       .again = route->again[way],
                                       .spilled = spilled[way],
                                       .behind_max = route->behind_max[way]};
    return control_write(answer, sizeof(answer), reports) ? answer : "error: the answer has no room";
}

static void command(int control)
{
    char text[COMMAND_MAX + 1];
    struct sockaddr_un from;
    socklen_t length = sizeof(from);
    const ssize_t size =
        recvfrom(control, text, COMMAND_MAX, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (size < 0)
        return;
    text[size] = 0;
    const char *answer = "error: set, stats or capture";
    if (!strncmp(text, "set ", 4))
        answer = set(text + 4);
    else if (!strncmp(text, "stats ", 6))
        answer = statistics(text + 6);
    else if (!strncmp(text, "capture ", 8))
        answer = capture_open(text + 8);
    if (sendto(control, answer, strlen(answer), 0, (struct sockaddr *)&from, length) < 0)
        perror("control");
}

// ---- Start
static void set_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path)) {
        fprintf(stderr, "wire: the path of a socket is too long: %s\n", path);
        exit(2);
    }
    strcpy(address->sun_path, path);
}

static int open_unix(const char *path)
{
    struct sockaddr_un address;
    const int size = BUFFERS, s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set_address(&address, path);
    if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof(address)))
        fail(path);
    // As root beyond the system's limit; what is missing is made up by frames that wait here.
    if (setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) &&
        setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)))
        fail("SO_SNDBUF");
    return s;
}

static void add_guest(char *word)
{
    const char *mac = strsep(&word, "="), *to = strsep(&word, "=");
    if (guest_count == GUESTS_MAX || !word) {
        fprintf(stderr, "wire: at most %d guests, each MAC=GUEST_SOCKET=HOST_SOCKET\n", GUESTS_MAX);
        exit(2);
    }
    struct guest *guest = &guests[guest_count++];
    uint8_t *m = guest->mac;
    if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6) {
        fprintf(stderr, "wire: %s is no hardware address\n", mac);
        exit(2);
    }
    guest->last = &guest->first;
    set_address(&guest->to, to);
    guest->socket = open_unix(word);
}

// Until something comes, a frame is due, or a guest's socket may have room again.
static void wait_for_something(struct pollfd *polled)
{
    uint64_t wait = SECOND;
    const uint64_t t = now();
    const struct frame *next = transit_next(&transit);
    if (next)
        wait = next->when > t ? next->when - t : 0;
    for (unsigned g = 0; g < guest_count; g++)
        if (guests[g].first && wait > RETRY)
            wait = RETRY;
    const struct timespec timeout = {.tv_sec = (time_t)(wait / SECOND), .tv_nsec = (long)(wait % SECOND)};
    if (ppoll(polled, 2 + guest_count, &timeout, NULL) < 0 && errno != EINTR)
        fail("poll");
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: wire TAP_DESCRIPTOR CONTROL_SOCKET MAC=GUEST_SOCKET=HOST_SOCKET...\n");
        return 2;
    }
    tap = atoi(argv[1]); // the caller has made it non-blocking
    struct pollfd polled[2 + GUESTS_MAX] = {{.fd = tap, .events = POLLIN},
                                            {.fd = open_unix(argv[2]), .events = POLLIN}};
    for (int i = 3; i < argc; i++) {
        add_guest(argv[i]);
        polled[i - 1] = (struct pollfd){.fd = guests[guest_count - 1].socket, .events = POLLIN};
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        wait_for_something(polled);
        if (polled[0].revents)
            read_tap();
        if (polled[1].revents)
            command(polled[1].fd);
        for (unsigned g = 0; g < guest_count; g++) {
            if (polled[2 + g].revents)
                read_guest(g);
            flush_guest(&guests[g]);
        }
        deliver_due(now());
    }
}
