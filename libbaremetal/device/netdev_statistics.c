// Statistics of each network device, in images that link baremetal::net_statistics.
// SPDX-License-Identifier: MIT
#include <baremetal/netdev.h>
#include <baremetal/statistics.h>
#include <stddef.h>

const char bm_netdev_statistics_use = 0;

// As the network calls them; more are told by their numbers.
static const char names[][5] = {"eth0", "eth1", "eth2", "eth3", "eth4", "eth5", "eth6", "eth7"};

// The argument is the sum's place in struct bm_netdev_statistics.
static bool read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    const struct bm_netdev *device = bm_netdev_first();
    for (unsigned i = 0; device && i < value->index; i++)
        device = device->next;
    if (!device)
        return false;
    struct bm_netdev_statistics sums = bm_netdev_statistics_get(device);
    value->label = value->index < sizeof names / sizeof *names ? names[value->index] : NULL;
    value->value = *(const uint64_t *)(const void *)((const char *)&sums + statistic->argument);
    return true;
}

#define NETDEV_STATISTIC(member, sentence)                                                                   \
    BM_STATISTIC(network_##member) = {.name = "network_" #member,                                            \
                                      .help = (sentence),                                                    \
                                      .split = "device",                                                     \
                                      .argument = offsetof(struct bm_netdev_statistics, member),             \
                                      .read = read}

NETDEV_STATISTIC(received, "Frames received.");
NETDEV_STATISTIC(received_bytes, "Bytes of frames received.");
NETDEV_STATISTIC(receive_dropped, "Frames received and dropped for want of memory or form.");
NETDEV_STATISTIC(transmitted, "Frames sent.");
NETDEV_STATISTIC(transmitted_bytes, "Bytes of frames sent.");
NETDEV_STATISTIC(transmit_errors, "Frames that could not be sent.");
