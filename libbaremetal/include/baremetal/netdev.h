// Network devices: the contract between a NIC's driver and the stacks, and their packet buffer.
// SPDX-License-Identifier: MIT
//
// A device is a set of queues, each of which sends and receives. A queue has its own pool of buffers, its own
// poller (wait.h), its own interrupt and its own statistics, and belongs to one stack. Queues share nothing
// that a packet touches: bound to a core (bm_netqueue_bind), a queue is touched by that core alone. One that
// is not bound is served by whichever core waits, and sent to by any core; its driver has a lock for that.
// Received buffers are handed over without a copy, sent ones are gathered from the stack's own memory without
// a copy.
//
// A driver's attach fills in a struct bm_netdev and calls bm_netdev_add; the device is at rest then. A stack
// chooses how many queues there are to be by bm_netdev_start, and takes those that it wants by
// bm_netqueue_take. The number of a received frame's queue is the device's choice (by a hash of the flow, as
// a rule): what a flow sends by queue n comes back by queue n where the device can arrange for it.
#pragma once

#include <baremetal/wait.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BM_PACKET_SIZE = 2048,       // a receive buffer, header included
    BM_PACKET_PRIVATE = 64,      // bytes at its start that belong to the network stack
    BM_NETDEV_SEGMENTS_MAX = 48, // pieces that one frame may be gathered from
    BM_NETDEV_HEADROOM = 12,     // bytes in front of a frame to send that the driver may write
    BM_NETDEV_MAX = 8            // network devices in one machine
};

struct bm_netdev;
struct bm_netqueue;

// A received frame in its pool buffer. The stack owns it from `input` of bm_netdev_stack until it calls
// bm_packet_free.
struct bm_packet {
    unsigned char private_area[BM_PACKET_PRIVATE]
        __attribute__((aligned(16))); // the stack's: lwIP's pbuf_custom
    struct bm_packet *next;           // owner's: links packets of a batch
    struct bm_packet_pool *pool;
    unsigned char *data;   // first byte of the Ethernet header, or of what follows after BM_PACKET_MORE
    uint16_t length;       // bytes of the frame here, without FCS
    uint16_t flags;        // enum bm_packet_flags
    uint16_t segment_size; // with BM_PACKET_JOINED: TCP payload of each segment but the last; 0: not known
    uint64_t dma;          // bm_dma_address of the packet structure itself
};

// Of the first packet of a frame, but for BM_PACKET_MORE.
enum bm_packet_flags {
    // The TCP or UDP checksum is right as far as the device can tell: verified, or the sender is on this host
    // and left it to us. Only of devices with BM_NETDEV_CHECKSUM_RX. Says nothing of fragments.
    BM_PACKET_CHECKSUM_GOOD = 1,
    // The frame goes on in the next packet of the batch. A frame lies in several packets when it is longer
    // than a buffer: a jumbo frame, or joined segments. All of its packets are in one batch, one behind the
    // other, each with at least one byte, and all but the last have this flag; `data` of the others begins
    // with the byte behind the last one of the packet before. The headers, up to the end of TCP's or UDP's,
    // are in the first.
    BM_PACKET_MORE = 2,
    // Several TCP segments of one connection, joined to one frame of at most 65,535 bytes of IP packet (only
    // of devices with BM_NETDEV_JOIN4 or _JOIN6). They followed each other without a gap and had the same
    // headers but for lengths, sequence numbers, checksums, ACK numbers and windows. The frame has the
    // headers of the first, with the IP length of the whole, ACK number and window of the last, and PSH when
    // any had it; its TCP checksum need not be right, and BM_PACKET_CHECKSUM_GOOD is set. Segments with SYN,
    // FIN, RST, URG or options other than timestamps are not joined to others.
    BM_PACKET_JOINED = 4
};

// A pool of receive buffers: one for each queue. Buffers beyond `max` are not allocated: receiving then
// waits for the stack to free some.
struct bm_packet_pool;
// Makes a pool that has `min` buffers at once and `max` in the end; NULL when memory is short.
struct bm_packet_pool *bm_packet_pool_create(unsigned min, unsigned max);
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
    const void *data; // any mapped memory
    uint32_t length;  // bytes
};

// A frame to send. The BM_NETDEV_HEADROOM bytes in front of the first segment are the driver's until the
// frame is sent. `cookie`, which is not NULL, comes back through `sent` of bm_netdev_stack once the device
// has read all of the frame.
struct bm_netdev_frame {
    const struct bm_netdev_segment *segments; // its bytes, from the Ethernet header on
    unsigned segment_count;                   // 1 … BM_NETDEV_SEGMENTS_MAX
    uint16_t checksum_start;  // offset from which the device is to sum (0: no checksum wanted)
    uint16_t checksum_offset; // where to put it, counted from checksum_start
    uint16_t gso_size;        // TCP segmentation: payload of each segment, 0 for none
    uint8_t gso_type;         // enum bm_netdev_gso
    uint16_t header_length;   // with gso: Ethernet + IP + TCP header
    void *cookie;
};

// Segmentation of a TCP frame by the device: none, of IPv4, of IPv6.
enum bm_netdev_gso { BM_NETDEV_GSO_NONE, BM_NETDEV_GSO_TCP4, BM_NETDEV_GSO_TCP6 };

// What a device can do beyond sending and receiving frames. A frame that wants what is not here is refused.
enum bm_netdev_capability {
    // Sums from checksum_start to the frame's end and puts the result where the frame says. The field holds
    // the sum of the pseudo header before.
    BM_NETDEV_CHECKSUM_TX = 1,
    // Sets BM_PACKET_CHECKSUM_GOOD.
    BM_NETDEV_CHECKSUM_RX = 2,
    // Cuts a frame with gso_type up into segments of gso_size bytes of payload, the last one with what is
    // left, each behind a copy of the frame's headers: lengths, IPv4's identification (counted on) and
    // checksum, TCP's sequence number and checksum are each segment's own; FIN and PSH are in the last one
    // only, CWR in the first one only. The IP packet that is cut up has at most 65,535 bytes; its checksum is
    // asked for by checksum_start. Together with BM_NETDEV_CHECKSUM_TX.
    BM_NETDEV_TSO4 = 4,
    BM_NETDEV_TSO6 = 8,
    // May hand over frames with BM_PACKET_JOINED, of TCP over IPv4 or IPv6. Together with
    // BM_NETDEV_CHECKSUM_RX.
    BM_NETDEV_JOIN4 = 16,
    BM_NETDEV_JOIN6 = 32
};

// What a driver does. Functions of a queue: for a bound queue its core, else any core, one at a time each.
struct bm_netdev_ops {
    // Puts a frame into the queue; its memory stays untouched by the stack until `sent`. Returns 0;
    // -BM_EAGAIN when the queue is full (the stack keeps the frame and retries after `sent`); -BM_EINVAL when
    // the frame can never be sent.
    int (*send)(struct bm_netqueue *queue, const struct bm_netdev_frame *frame);
    // Rings the doorbell once for all frames queued since the last call.
    void (*flush)(struct bm_netqueue *queue);
    // Makes `count` queues (1 … queue_max), adds each by bm_netqueue_add, and lets the device receive. Called
    // on core 0, and again only if it failed. Returns 0 or a negative error; the queues are forgotten then.
    int (*start)(struct bm_netdev *device, unsigned count);
    // Aims the queue's interrupt at a core. Returns 0, or a negative error when there is none of its own or
    // the core cannot be reached. NULL: there are no interrupts that could be aimed.
    int (*aim)(struct bm_netqueue *queue, unsigned core);
};

// What a stack gives a queue when it takes it.
struct bm_netdev_stack {
    // A batch of received frames, linked by `next`, under no lock of the driver.
    void (*input)(struct bm_netqueue *queue, struct bm_packet *batch);
    // The device is done with a sent frame. On the core that serves the queue, under no lock of the driver.
    void (*sent)(struct bm_netqueue *queue, void *cookie);
    // The link went up or down (device->link_up). On whichever core found out.
    void (*link_changed)(struct bm_netqueue *queue);
};

// A pair of rings of a device, one in each direction, that one core serves.
struct bm_netqueue {
    struct bm_netdev *device;        // whose it is
    const struct bm_netdev_ops *ops; // the device's
    unsigned number;                 // 0 … queue_count - 1
    // Set by bm_netqueue_take:
    const struct bm_netdev_stack *stack; // NULL: nobody's; received frames are dropped
    void *stack_state;
    // The driver's. poll() receives, hands over what the device is done with, and fills up; arm() asks for
    // the interrupt.
    struct bm_poller poller;
    struct bm_packet_pool *pool;
    // Statistics, written by the driver:
    uint64_t received, received_bytes, receive_dropped, transmitted, transmitted_bytes, transmit_errors;
    uint64_t transmit_completed; // frames of `transmitted` that the device is done with
    struct bm_netqueue *next;    // of the device, in the order of their numbers
};

// A network device. The driver embeds it in a structure of its own.
struct bm_netdev {
    const char *driver;              // "virtio_net"
    unsigned char mac[6];            // Ethernet address
    uint16_t mtu;                    // largest IP packet, at least 576
    uint32_t capabilities;           // enum bm_netdev_capability; of a device at rest what it may have
    bool link_up;                    // frames can go out
    uint16_t queue_max;              // queues that the device can have; 0 counts as 1
    uint16_t queue_count;            // that it has; 0: at rest
    const struct bm_netdev_ops *ops; // the driver's
    struct bm_netqueue *queues;      // the first one
    struct bm_netdev *next;          // registry's
};

// --- For drivers ---

// Adds a device, at rest. Called by a driver's attach. Returns 0 or -BM_ENOSPC.
int bm_netdev_add(struct bm_netdev *device);

// Adds a queue, with poller and pool, to its device. In `start`, in the order of the numbers.
void bm_netqueue_add(struct bm_netdev *device, struct bm_netqueue *queue);

// Raises device->mtu to what the command line's mtu= asks of this device, by its MAC address, its place among
// the devices (eth0 is the first) or, of the first, without a name; at most to `max` (576 … 65,535). For
// drivers whose device carries longer frames when it is set up so. In `start`, before the queues are added.
// An MTU that is not larger, or larger than `max`, changes nothing: the stack says what is wrong with it.
void bm_netdev_mtu_ask(struct bm_netdev *device, unsigned max);

// Says that the link is up or down to the stacks of all queues, unless it was so before. One core at a time.
void bm_netdev_link_set(struct bm_netdev *device, bool up);

// --- For stacks ---

// The devices in the order of attaching. The first is the one that ip= without a name configures.
struct bm_netdev *bm_netdev_first(void);

// Gives a device at rest queues: `wanted`, or as many as it can have, or as the machine has cores, whichever
// is least. Returns how many there are now; for a device that has been started, how many it has; or a
// negative error. Core 0.
int bm_netdev_start(struct bm_netdev *device, unsigned wanted);

// Queue `number` of a device, or NULL.
struct bm_netqueue *bm_netdev_queue(const struct bm_netdev *device, unsigned number);

// Takes a queue for a stack: from now on its functions are called, `state` is its own. Returns 0, or
// -BM_EBUSY when another stack has it. One core at a time.
int bm_netqueue_take(struct bm_netqueue *queue, const struct bm_netdev_stack *stack, void *state);

// Binds a queue to a core: its interrupt is aimed there and its poller bound (wait.h), so that the queue is
// touched by that core alone, provided that the stack sends on it alone. May be called again for another
// core. Returns 0, or a negative error of the driver when the interrupt cannot be aimed; the queue then stays
// where it was. Any core, not in handlers.
int bm_netqueue_bind(struct bm_netqueue *queue, unsigned core);

// The sum over a device's queues. Any core; of queues that are busy it is a little behind.
struct bm_netdev_statistics {
    // Frames and bytes:
    uint64_t received, received_bytes, receive_dropped, transmitted, transmitted_bytes, transmit_errors;
};
struct bm_netdev_statistics bm_netdev_statistics_get(const struct bm_netdev *device);

#ifdef __cplusplus
}
#endif
