// Shows once a second what each network device has received and sent.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -kernel net_counters -append "-- seconds=10" -netdev user,id=n -device
//     e1000e,netdev=n
//
// The counters are the devices' own (<baremetal/netdev.h>); reading them disturbs nobody. Between two looks
// main sleeps, and the core serves the devices: pings are answered.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <baremetal/netdev.h>

enum { SECONDS_MAX = 86400 };

static void print_device(unsigned number, const struct bm_netdev *device, struct bm_netdev_statistics *last)
{
    const struct bm_netdev_statistics now = bm_netdev_statistics_get(device);
    printf("eth%u in %" PRIu64 " (+%" PRIu64 "), %" PRIu64 " bytes, %" PRIu64 " dropped; ", number,
           now.received, now.received - last->received, now.received_bytes, now.receive_dropped);
    printf("out %" PRIu64 " (+%" PRIu64 "), %" PRIu64 " bytes, %" PRIu64 " refused%s\n", now.transmitted,
           now.transmitted - last->transmitted, now.transmitted_bytes, now.transmit_errors,
           device->link_up ? "" : "; no link");
    *last = now;
}

// The number behind `seconds=`, or 0 for what is none.
static unsigned seconds_of(const char *text)
{
    char *end;
    if (strncmp(text, "seconds=", 8) != 0 || text[8] < '0' || text[8] > '9')
        return 0;
    const unsigned long number = strtoul(text + 8, &end, 10);
    return *end == 0 && number <= SECONDS_MAX ? (unsigned)number : 0;
}

int main(int argc, char **argv)
{
    struct bm_netdev_statistics last[BM_NETDEV_MAX] = {{0}};
    const unsigned seconds = argc == 1 ? SECONDS_MAX : argc == 2 ? seconds_of(argv[1]) : 0;
    if (seconds == 0) {
        fprintf(stderr, "net_counters: write seconds=1 … seconds=%d behind \" -- \"\n", SECONDS_MAX);
        return EXIT_FAILURE;
    }
    if (bm_netdev_first() == NULL) {
        fprintf(stderr, "net_counters: this machine has no network device that a linked driver knows\n");
        return EXIT_FAILURE;
    }
    unsigned number = 0;
    for (const struct bm_netdev *device = bm_netdev_first(); device != NULL; device = device->next) {
        const unsigned char *mac = device->mac;
        printf("eth%u: %s, %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, %u queue(s)\n", number++, device->driver,
               mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], (unsigned)device->mtu,
               (unsigned)device->queue_count);
    }
    for (unsigned second = 0; second < seconds; second++) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        number = 0;
        for (const struct bm_netdev *device = bm_netdev_first(); device != NULL; device = device->next) {
            print_device(number, device, &last[number]);
            number++;
        }
    }
    return EXIT_SUCCESS;
}
