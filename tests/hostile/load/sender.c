// Sends frames at a rate: sender INTERFACE RATE SECONDS < FRAMES; tells how many it sent, and how long that
// took.
// SPDX-License-Identifier: MIT
//
// FRAMES: for each its length, two bytes in this machine's order, and its bytes. They are sent one after the
// other, and from the first again.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAMES_MAX = 1 << 17, FRAME_MAX = 1514, BATCH = 16 };

static struct iovec frames[FRAMES_MAX];

static unsigned frames_read(void)
{
    unsigned count = 0;
    uint16_t length;
    while (count < FRAMES_MAX && fread(&length, sizeof(length), 1, stdin) == 1) {
        char *bytes = length <= FRAME_MAX ? malloc(length) : NULL;
        if (!bytes || fread(bytes, length, 1, stdin) != 1)
            return 0;
        frames[count++] = (struct iovec){.iov_base = bytes, .iov_len = length};
    }
    return count;
}

static int wire_open(const char *interface)
{
    int wire = socket(AF_PACKET, SOCK_RAW, 0); // 0: receives nothing
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    const int on = 1;
    // Straight to the device: what it has no room for is lost, and does not hold up what comes behind.
    setsockopt(wire, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
    if (wire < 0 || bind(wire, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return -1;
    return wire;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void sleep_until(double when)
{
    struct timespec time = {.tv_sec = (time_t)when};
    time.tv_nsec = (long)((when - (double)time.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

int main(int argc, char **argv)
{
    const unsigned count = frames_read();
    const int wire = argc == 4 ? wire_open(argv[1]) : -1;
    if (count == 0 || wire < 0) {
        fprintf(stderr, "usage: sender INTERFACE RATE SECONDS < FRAMES (%u frames; %s)\n", count,
                strerror(errno));
        return 1;
    }
    const double rate = atof(argv[2]), began = now(), end = began + atof(argv[3]);
    unsigned long tried = 0, sent = 0;
    while (now() < end) {
        struct mmsghdr batch[BATCH] = {0};
        for (unsigned i = 0; i < BATCH; i++) {
            batch[i].msg_hdr.msg_iov = &frames[(tried + i) % count];
            batch[i].msg_hdr.msg_iovlen = 1;
        }
        const int done = sendmmsg(wire, batch, BATCH, 0);
        sent += done > 0 ? (unsigned long)done : 0; // the others had no room
        tried += BATCH;
        sleep_until(began + (double)tried / rate); // behind: catches up
    }
    printf("%lu %lu %.3f\n", tried, sent, now() - began);
    return 0;
}
