// Network devices: the contract between a NIC's driver and the stack, and their packet buffer.
// SPDX-License-Identifier: MIT
//
// Both directions are served by the driver's poller (wait.h). One core at a time is inside a queue: the
// driver takes the queue's lock. Received buffers are handed over without a copy, sent ones are gathered from
// the stack's own memory without a copy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BM_PACKET_SIZE = 2048,       // a receive buffer, header included
    BM_PACKET_PRIVATE = 64,      // bytes at its start that belong to the network stack
    BM_NETDEV_SEGMENTS_MAX = 48, // pieces that one frame may be gathered from
    BM_NETDEV_HEADROOM = 12,     // bytes in front of a frame to send that the driver may write
    BM_NETDEV_MAX = 8            // network devices in one machine
};

struct bm_netdev;

// A received frame in its pool buffer. The stack owns it from bm_netdev_input until it calls bm_packet_free.
struct bm_packet {
    _Alignas(16) unsigned char private_area[BM_PACKET_PRIVATE]; // the stack's (lwIP's pbuf_custom)
    struct bm_packet *next;                                     // owner's: links packets of a batch
    struct bm_packet_pool *pool;
    unsigned char
        *data;       // first byte of the Ethernet header, or of what follows in a frame of several packets
    uint16_t length; // bytes of the frame here, without FCS
    uint16_t flags;  // enum bm_packet_flags
    uint64_t dma;    // bm_dma_address of the packet structure itself
};

enum bm_packet_flags {
    BM_PACKET_CHECKSUM_GOOD =
        1, // the device has verified the TCP or UDP checksum (or the sender is on this host: partial)
    BM_PACKET_MORE = 2 // the frame goes on in the next packet of the batch (TCP segments that were joined)
};

// A pool of receive buffers; several devices may share one. Buffers beyond `most` are not allocated:
// receiving then waits for the stack to free some.
struct bm_packet_pool;
struct bm_packet_pool *bm_packet_pool_create(unsigned least, unsigned most); // NULL when memory is short
// Up to `count` buffers, linked by `next`; fewer when the pool has no more, NULL when it is empty. Then the
// core is woken when one has come back.
struct bm_packet *bm_packet_allocate(struct bm_packet_pool *pool, unsigned count);
void bm_packet_free(struct bm_packet *packet); // any core, not in handlers
// Whether so many of the pool's buffers are with the stack (256) that it should copy what it cannot give back
// soon, so that receiving goes on. Any core.
bool bm_packet_pool_scarce(const struct bm_packet_pool *pool);

// Where data may start in a packet so that a driver's own header (virtio_net_hdr) fits in front and the IP
// header is aligned.
enum { BM_PACKET_DATA_OFFSET = 128 + 2 };

// One piece of a frame to send.
struct bm_netdev_segment {
    const void *data;
    uint32_t length;
};

// A frame to send. The BM_NETDEV_HEADROOM bytes in front of the first segment are the driver's until the
// frame is sent. `cookie`, which is not NULL, comes back through `sent` of bm_netdev_stack once the device
// has read all of the frame.
struct bm_netdev_frame {
    const struct bm_netdev_segment *segments;
    unsigned segment_count;   // 1 … BM_NETDEV_SEGMENTS_MAX
    uint16_t checksum_start;  // offset from which the device is to sum (0: no checksum wanted)
    uint16_t checksum_offset; // where to put it, counted from checksum_start
    uint16_t gso_size;        // TCP segmentation: payload of each segment, 0 for none
    uint8_t gso_type;         // enum bm_netdev_gso
    uint16_t header_length;   // with gso: Ethernet + IP + TCP header
    void *cookie;
};

enum bm_netdev_gso { BM_NETDEV_GSO_NONE, BM_NETDEV_GSO_TCP4, BM_NETDEV_GSO_TCP6 };

enum bm_netdev_capability {
    BM_NETDEV_CHECKSUM_TX = 1, // can fill in TCP and UDP checksums
    BM_NETDEV_CHECKSUM_RX = 2, // marks frames whose checksum is good
    BM_NETDEV_TSO4 = 4,
    BM_NETDEV_TSO6 = 8
};

struct bm_netdev_ops {
    // Queues a frame; its memory stays untouched by the stack until `sent`. Returns 0; -BM_EAGAIN
    // when the ring is full (the stack keeps the frame and retries after `sent`); -BM_EINVAL when the frame
    // can never be sent.
    int (*send)(struct bm_netdev *device, const struct bm_netdev_frame *frame);
    // Rings the doorbell once for all frames queued since the last call.
    void (*flush)(struct bm_netdev *device);
};

// What the stack gives a device when it takes it.
struct bm_netdev_stack {
    // A batch of received frames, linked by `next`, under no lock of the driver. A frame of several packets
    // (BM_PACKET_MORE) is there as a whole; its headers are in the first one.
    void (*input)(struct bm_netdev *device, struct bm_packet *batch);
    // The device is done with a sent frame.
    void (*sent)(struct bm_netdev *device, void *cookie);
    // The link went up or down (device->link_up).
    void (*link_changed)(struct bm_netdev *device);
};

struct bm_netdev {
    const char *driver; // "virtio_net"
    unsigned char mac[6];
    uint16_t mtu;          // largest IP packet, at least 576
    uint32_t capabilities; // enum bm_netdev_capability
    bool link_up;
    const struct bm_netdev_ops *ops;
    // Set by the stack:
    const struct bm_netdev_stack
        *stack; // NULL until a stack takes the device: received frames are then dropped
    void *stack_state;
    // Statistics, written by the driver:
    uint64_t received, received_bytes, receive_dropped, transmitted, transmitted_bytes, transmit_errors;
    uint64_t transmit_completed; // frames of `transmitted` that the device is done with
    struct bm_netdev *next;      // registry's
};

// Adds a device, ready to receive. Called by a driver's attach. Returns 0 or -BM_ENOSPC.
int bm_netdev_add(struct bm_netdev *device);

// The devices in the order of attaching. The first is the one that ip= without a name configures.
struct bm_netdev *bm_netdev_first(void);
