// The virtio network driver's own structures, shared by its start and its queues.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of the VIRTIO specification, version 1.2.
#pragma once

#include <baremetal/lock.h>
#include <baremetal/netdev.h>
#include <baremetal/virtio.h>
#include <baremetal/wait.h>

// Feature bits (section 5.1.3).
#define F_CSUM       (1ull << 0)
#define F_GUEST_CSUM (1ull << 1)
#define F_MTU        (1ull << 3)
#define F_MAC        (1ull << 5)
#define F_GUEST_TSO4 (1ull << 7)
#define F_GUEST_TSO6 (1ull << 8)
#define F_HOST_TSO4  (1ull << 11)
#define F_HOST_TSO6  (1ull << 12)
#define F_MRG_RXBUF  (1ull << 15)
#define F_STATUS     (1ull << 16)
#define F_CTRL_VQ    (1ull << 17)
#define F_MQ         (1ull << 22)
#define F_NEVER      (1ull << 63) // no feature has this bit

enum { STATUS_LINK_UP = 1 };

// Precedes every frame, both ways (section 5.1.6).
struct virtio_net_header {
    uint8_t flags; // enum virtio_net_flags
    uint8_t gso_type;
    uint16_t header_length;
    uint16_t gso_size;
    uint16_t checksum_start, checksum_offset;
    uint16_t buffer_count;
};
_Static_assert(sizeof(struct virtio_net_header) == 12, "header of VERSION_1 devices");
_Static_assert(sizeof(struct virtio_net_header) <= BM_NETDEV_HEADROOM, "the stack leaves room for it");

enum virtio_net_flags { NET_NEEDS_CHECKSUM = 1, NET_DATA_VALID = 2 };
enum { GSO_NONE = 0, GSO_TCP4 = 1, GSO_TCP6 = 4 };

enum {
    QUEUE_SIZE = 256,   // descriptors of a transmit queue; a frame takes one to four
    RECEIVE_MAX = 128,  // descriptors of a receive queue: as many frames wait while the core is busy
    RECEIVE_TSO = 64,   // … and at least so many hold the largest frame of joined segments
    TRANSMIT_TSO = 128, // frames of many pieces need a queue with room for two of them
    BATCH = 32,         // frames that one poll takes from each queue
    POOL_MAX = 16384,
    HEADER_OFFSET = BM_PACKET_DATA_OFFSET - sizeof(struct virtio_net_header),
    HEADER_SHORT = 10, // of old devices without MRG_RXBUF
    FRAME_MIN = 14,
    FRAME_MAX = BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET,
    MTU_DEFAULT = 1500,
    MTU_MIN = 576,
    MTU_MAX = FRAME_MAX - 18,    // Ethernet header and a VLAN tag
    MTU_JUMBO = UINT16_MAX - 18, // … of frames in several buffers
    PAIRS_MAX = 0x8000,
    PAIR_ALIGNMENT = 64, // no two pairs in one line of the caches
    CONTROL_SIZE = 4     // descriptors of the control queue: one command
};

_Static_assert(TRANSMIT_TSO >= 2 * BM_NETDEV_SEGMENTS_MAX, "two frames of most pieces fit");

// A receive and a transmit queue, served together.
struct virtio_net_pair {
    struct bm_netqueue queue;    // first
    struct bm_virtqueue receive; // only the poller is in it
    unsigned header_length;      // bytes in front of each frame: a header's, or HEADER_SHORT

    struct bm_spinlock lock; // of what follows
    struct bm_virtqueue transmit;
    bool full; // a frame was refused: the stack waits for `sent`

    bool off; // virtio_net_reset.c's: the device was switched off, and the queues are empty
};

struct virtio_net_config {
    unsigned char mac[6];
    uint16_t status, pairs, mtu;
};

// What the control queue carries (section 5.1.6.5).
struct virtio_net_command {
    uint8_t class, command;
    uint16_t pairs; // of VQ_PAIRS_SET
    uint8_t answer; // 0: done
};

// Of virtio_net_reset.c: the watch over a device, and its way back.
struct virtio_net_watch {
    struct bm_poller poller;
    bm_atomic_bool wanted;   // a reset, as soon as all pairs are off
    BM_ATOMIC(unsigned) off; // pairs that are
    bool due;                // it is time to look at the status
    uint64_t completed;      // frames that the device was done with …
    uint64_t check;          // … and when to look whether there are more, ns
    uint64_t first;          // reset of those that are counted
    unsigned count;
};

struct virtio_net {
    struct bm_netdev netdev; // first
    struct bm_virtio_device *device;
    uint16_t pairs_offered; // by the device: the control queue lies behind them
    struct bm_virtqueue control;
    struct virtio_net_command command;
    struct virtio_net_watch watch;
};

extern const struct bm_netdev_ops bm_virtio_net_ops;

// `start` of the device: virtio_net.c's, which is _only, or in images that have it virtio_net_reset.c's,
// which calls it and then watches over the device.
int bm_virtio_net_start(struct bm_netdev *netdev, unsigned count);
int bm_virtio_net_start_only(struct bm_netdev *netdev, unsigned count);

// virtio_net_multiqueue.c, in images that want several pairs: makes the control queue, has the device use all
// pairs, and aims their interrupts.
int bm_virtio_net_pairs_prepare(struct virtio_net *self) __attribute__((weak));
int bm_virtio_net_pairs_use(struct virtio_net *self, unsigned count) __attribute__((weak));
int bm_virtio_net_aim(struct bm_netqueue *queue, unsigned core) __attribute__((weak));

// virtio_net_short.c, with the transport of old devices: the same as bm_virtio_net_pair_fill for a header of
// HEADER_SHORT bytes.
void bm_virtio_net_short_fill(struct virtio_net_pair *pair) __attribute__((weak));

// Gives the device as many receive buffers as its queue takes and the pool has. In the poller, or before
// there is one.
void bm_virtio_net_pair_fill(struct virtio_net_pair *pair);

// Fills in the pair's poller.
void bm_virtio_net_pair_poll(struct virtio_net_pair *pair);

// Of the first pair: the configuration has changed. Of each pair of a device that was switched off: its
// queues have been given back. In the pair's poller. virtio_net_reset.c has one of its own.
void bm_virtio_net_config_changed(struct virtio_net_pair *pair);

// Reads whether the link is up, and tells the stack. In the first pair's poller.
void bm_virtio_net_link_read(struct virtio_net *self);

// virtio_net_reset.c: begins a device anew that was switched off, all of whose pairs are off. In a poller of
// one of them.
void bm_virtio_net_restart(struct virtio_net *self);
