// What the drivers of network cards do alike when they bring one up: its address, the sizes of its rings.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/netdev.h>
#include <baremetal/random.h>

enum {
    RECEIVE_MIN = 32, // descriptors of a receive ring, a power of two
    POOL_MAX = 16384  // buffers of a queue
};

static inline void mac_from_words(unsigned char *mac, uint32_t low, uint32_t high)
{
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (unsigned char)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
}

// Whether it is one device's address, no group's.
static inline bool mac_is_station(const unsigned char *mac)
{
    return !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

// A random, locally administered one, of a device that has none.
static inline void mac_make(unsigned char *mac)
{
    bm_random_fill(mac, 6);
    mac[0] = (mac[0] & 0xfc) | 2;
}

static inline uint64_t memory_in_packets(void)
{
    return bm_memory_statistics_get().total / BM_PACKET_SIZE;
}

// The size of a receive ring: one sixty-fourth of the memory waits for frames to come, in a power of two.
static inline unsigned receive_count_choose(unsigned max)
{
    unsigned count = RECEIVE_MIN;
    while (2 * count <= max && 2 * count <= memory_in_packets() / 64)
        count *= 2;
    return count;
}

// A pool for a ring of that size: an eighth of the memory may hold frames that the stack has not given back.
static inline struct bm_packet_pool *pool_make(unsigned count)
{
    uint64_t max = memory_in_packets() / 8;
    return bm_packet_pool_create(count, max < 2 * count  ? 2 * count
                                        : max > POOL_MAX ? POOL_MAX
                                                         : (unsigned)max);
}

// The line of the log about a device that has been attached.
static inline void nic_log(const char *name, const struct bm_netdev *netdev)
{
    const unsigned char *mac = netdev->mac;
    bm_log_info(name, "%02x:%02x:%02x:%02x:%02x:%02x, %s", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
                netdev->link_up ? "link is up" : "no link yet");
}
