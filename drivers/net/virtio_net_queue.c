// Frames through the virtio network device's queues: the path of every packet.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// QEMU: -netdev user,id=n -device virtio-net-pci,netdev=n
//
// Section numbers are those of the VIRTIO specification, version 1.2.
#include "virtio_net.h"

#include <baremetal/error.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

static inline struct virtio_net_pair *pair_of(struct bm_netqueue *queue)
{
    return (struct virtio_net_pair *)queue;
}

// --- Receiving (section 5.1.6.3 and 5.1.6.4) ---

void bm_virtio_net_pair_fill(struct virtio_net_pair *pair)
{
    struct bm_virtqueue *queue = &pair->receive;
    if (__builtin_expect(pair->header_length != sizeof(struct virtio_net_header), 0)) {
        bm_virtio_net_short_fill(pair);
        return;
    }
    struct bm_packet *packet = bm_packet_allocate(pair->queue.pool, queue->free_count);
    for (; packet; packet = packet->next) {
        struct bm_virtqueue_chain chain;
        bm_virtqueue_chain_start(queue, &chain);
        bm_virtqueue_chain_put(queue, &chain, packet->dma + HEADER_OFFSET, BM_PACKET_SIZE - HEADER_OFFSET,
                               BM_VIRTQUEUE_WRITE);
        bm_virtqueue_chain_add(queue, &chain, packet);
    }
    bm_virtqueue_kick(queue);
}

static inline const struct virtio_net_header *header_of(const struct bm_packet *packet)
{
    return (const void *)((const unsigned char *)packet + HEADER_OFFSET);
}

// What the device has returned and the poll has not looked at yet.
struct arrivals {
    unsigned next, count;
    struct bm_virtqueue_done done[BATCH];
};

// Gives the device up; what it says of the frames behind is worth nothing.
static __attribute__((cold, noinline)) struct bm_packet *
virtio_net_give_up(struct virtio_net_pair *pair, struct arrivals *arrivals, const char *why)
{
    bm_virtio_fail(pair->receive.device, why);
    while (arrivals->next < arrivals->count)
        bm_packet_free(arrivals->done[arrivals->next++].cookie);
    return NULL;
}

// A frame of joined segments or in several buffers, which the device returns together (section 5.1.6.4):
// takes the others. Returns the last one, or NULL when the device broke the rules.
static __attribute__((cold, noinline)) struct bm_packet *virtio_net_joined(struct virtio_net_pair *pair,
                                                                           struct arrivals *arrivals,
                                                                           struct bm_packet *last,
                                                                           unsigned type, unsigned count)
{
    uint64_t features = pair->receive.device->features;
    uint64_t needed = type == GSO_TCP4 ? F_GUEST_TSO4 : type == GSO_TCP6 ? F_GUEST_TSO6 : F_NEVER;
    if (!(features & F_MRG_RXBUF))
        count = 1; // the field has no meaning then
    if (type != GSO_NONE && !(features & needed))
        return virtio_net_give_up(pair, arrivals, "returned a frame of a kind that was not agreed on");
    if (type != GSO_NONE) {
        last->flags |= BM_PACKET_JOINED;
        last->segment_size = header_of(last)->gso_size;
    }
    while (--count) { // a count of 0 is more than there can be, too
        if (arrivals->next == arrivals->count) {
            arrivals->next = 0;
            arrivals->count = bm_virtqueue_take(&pair->receive, arrivals->done, 1);
            if (!arrivals->count)
                break;
        }
        struct bm_packet *packet = arrivals->done[arrivals->next].cookie;
        uint32_t written = arrivals->done[arrivals->next++].length;
        packet->data = (unsigned char *)packet + HEADER_OFFSET;
        packet->length = (uint16_t)written;
        packet->flags = 0;
        packet->next = NULL;
        pair->queue.received_bytes += written;
        last->flags |= BM_PACKET_MORE;
        last->next = packet;
        last = packet;
        if (!written)
            break;
    }
    return count == 0 ? last : virtio_net_give_up(pair, arrivals, "returned a part of a frame");
}

// Makes a frame of what the device has written. Returns its last packet, which is the first one as a rule;
// NULL when it is none.
static inline struct bm_packet *virtio_net_accept(struct virtio_net_pair *pair, struct arrivals *arrivals)
{
    struct bm_packet *packet = arrivals->done[arrivals->next].cookie;
    uint32_t written = arrivals->done[arrivals->next++].length;
    const struct virtio_net_header *header = header_of(packet);
    packet->next = NULL;
    if (written < pair->header_length + FRAME_MIN)
        return NULL;
    packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
    packet->length = (uint16_t)(written - pair->header_length);
    // DATA_VALID: verified. NEEDS_CHECKSUM: the frame never was on a wire, its sender left the sum to us.
    // Both come only when GUEST_CSUM was negotiated (section 5.1.6.4.1).
    bool good = pair->queue.device->capabilities & BM_NETDEV_CHECKSUM_RX &&
                header->flags & (NET_NEEDS_CHECKSUM | NET_DATA_VALID);
    packet->flags = good ? BM_PACKET_CHECKSUM_GOOD : 0;
    pair->queue.received++;
    pair->queue.received_bytes += packet->length;
    unsigned type = header->gso_type, count = header->buffer_count;
    if (__builtin_expect(type == GSO_NONE && count == 1, 1))
        return packet;
    return virtio_net_joined(pair, arrivals, packet, type, count);
}

// Takes a batch of frames, hands it to the stack, and fills the queue up. Returns whether there was any work.
static bool virtio_net_receive(struct virtio_net_pair *pair)
{
    const struct bm_netdev_stack *stack = __atomic_load_n(&pair->queue.stack, __ATOMIC_ACQUIRE);
    struct bm_packet *batch = NULL, **tail = &batch;
    struct arrivals arrivals;
    arrivals.next = 0;
    arrivals.count = bm_virtqueue_take(&pair->receive, arrivals.done, BATCH);
    bool worked = arrivals.count;
    while (arrivals.next < arrivals.count) {
        struct bm_packet *packet = arrivals.done[arrivals.next].cookie;
        struct bm_packet *last = virtio_net_accept(pair, &arrivals);
        if (stack && last) {
            *tail = packet;
            tail = &last->next;
            continue;
        }
        pair->queue.receive_dropped++;
        while (packet) {
            struct bm_packet *next = packet->next;
            bm_packet_free(packet);
            packet = next;
        }
    }
    if (batch)
        stack->input(&pair->queue, batch);
    // After the stack: the buffers that it gave back at once are the ones in the cache.
    if (pair->receive.free_count && !pair->receive.device->broken)
        bm_virtio_net_pair_fill(pair);
    return worked;
}

// --- Sending (section 5.1.6.2) ---

// Adds a segment, in as many pieces as it is for a device. Returns 0, -BM_EAGAIN when descriptors run
// out, -BM_EINVAL for memory that is none.
static inline int virtio_net_put(struct bm_virtqueue *queue, struct bm_virtqueue_chain *chain,
                                 const unsigned char *data, uint32_t left)
{
    while (left) {
        uint32_t piece = BM_PAGE_SIZE - (uintptr_t)data % BM_PAGE_SIZE;
        uint64_t address = bm_dma_address(data);
        if (__builtin_expect(address == BM_DMA_NONE, 0))
            return -BM_EINVAL;
        while (piece < left && bm_dma_address(data + piece) == address + piece)
            piece += BM_PAGE_SIZE;
        if (piece > left)
            piece = left;
        if (__builtin_expect(!bm_virtqueue_chain_put(queue, chain, address, piece, 0), 0))
            return -BM_EAGAIN;
        data += piece;
        left -= piece;
    }
    return 0;
}

// Whether the frame breaks the contract, or wants what was not negotiated.
static inline bool virtio_net_refuses(const struct bm_netdev *netdev, const struct bm_netdev_frame *frame)
{
    uint32_t needed = frame->checksum_start || frame->gso_type ? BM_NETDEV_CHECKSUM_TX : 0;
    if (__builtin_expect(frame->gso_type, 0))
        needed |= frame->gso_type == BM_NETDEV_GSO_TCP4 ? BM_NETDEV_TSO4 : BM_NETDEV_TSO6;
    return !frame->cookie || (needed & ~netdev->capabilities) ||
           (frame->gso_type && (!frame->checksum_start || !frame->gso_size));
}

static inline struct virtio_net_header *virtio_net_header(const struct bm_netdev_frame *frame)
{
    return (struct virtio_net_header *)(uintptr_t)frame->segments[0].data - 1;
}

static inline void virtio_net_header_fill(const struct bm_netdev_frame *frame)
{
    struct virtio_net_header *header = virtio_net_header(frame);
    *header = (struct virtio_net_header){
        .flags = frame->checksum_start ? NET_NEEDS_CHECKSUM : 0,
        .checksum_start = frame->checksum_start,
        .checksum_offset = frame->checksum_offset,
    };
    if (__builtin_expect(frame->gso_type, 0)) {
        header->gso_type = frame->gso_type == BM_NETDEV_GSO_TCP4 ? GSO_TCP4 : GSO_TCP6;
        header->gso_size = frame->gso_size;
        header->header_length = frame->header_length;
    }
}

// Puts the frame into the queue: header and first segment lie together, but old devices want a descriptor for
// the header alone (section 2.7.4.1). Under the lock.
static inline int virtio_net_queue(struct virtio_net_pair *pair, const struct bm_netdev_frame *frame)
{
    struct bm_virtqueue *queue = &pair->transmit;
    struct bm_virtqueue_chain chain;
    uint32_t bytes = 0;
    unsigned apart = queue->device->legacy;
    int error = queue->free_count ? 0 : -BM_EAGAIN;
    bm_virtqueue_chain_start(queue, &chain);
    for (unsigned i = 0; i < frame->segment_count + apart && !error; i++) {
        const void *data = virtio_net_header(frame);
        uint32_t length = i ? 0 : pair->header_length;
        if (i >= apart) {
            const struct bm_netdev_segment *segment = &frame->segments[i - apart];
            length += segment->length;
            bytes += segment->length;
            if (i)
                data = segment->data;
        }
        error = virtio_net_put(queue, &chain, data, length);
    }
    if (__builtin_expect(error || !bytes, 0)) // a frame that does not even fit into an empty queue never will
        return error == -BM_EAGAIN && queue->free_count < queue->size ? error : -BM_EINVAL;
    virtio_net_header_fill(frame);
    bm_virtqueue_chain_add(queue, &chain, frame->cookie);
    pair->queue.transmitted++;
    pair->queue.transmitted_bytes += bytes;
    return 0;
}

static int virtio_net_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    struct virtio_net_pair *pair = pair_of(queue);
    int error = -BM_EINVAL;
    bm_spinlock_acquire_inline(&pair->lock);
    if (__builtin_expect(!pair->transmit.device->broken && !virtio_net_refuses(queue->device, frame), 1))
        error = virtio_net_queue(pair, frame);
    if (__builtin_expect(error != 0, 0)) {
        pair->full |= error == -BM_EAGAIN;
        queue->transmit_errors += error != -BM_EAGAIN;
    }
    bm_spinlock_release(&pair->lock);
    return error;
}

static void virtio_net_flush(struct bm_netqueue *queue)
{
    struct virtio_net_pair *pair = pair_of(queue);
    bm_spinlock_acquire(&pair->lock);
    if (__builtin_expect(!pair->transmit.device->broken, 1))
        bm_virtqueue_kick(&pair->transmit);
    bm_spinlock_release(&pair->lock);
}

const struct bm_netdev_ops bm_virtio_net_ops = {.send = virtio_net_send,
                                                .flush = virtio_net_flush,
                                                .start = bm_virtio_net_start,
                                                .aim = bm_virtio_net_aim};

// Takes back a batch of sent frames and tells the stack, which may be waiting for room. Returns whether there
// were any.
static bool virtio_net_reclaim(struct virtio_net_pair *pair)
{
    struct bm_virtqueue_done done[BATCH];
    bm_spinlock_acquire_inline(&pair->lock);
    unsigned count = bm_virtqueue_take(&pair->transmit, done, BATCH);
    if (count)
        pair->full = false;
    pair->queue.transmit_completed += count;
    bm_spinlock_release(&pair->lock);
    const struct bm_netdev_stack *stack = __atomic_load_n(&pair->queue.stack, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < count; i++)
        stack->sent(&pair->queue, done[i].cookie); // who sent is a stack
    return count != 0;
}

// --- The poller ---

// The device was switched off: gives the stack and the pool back what the device still had.
static __attribute__((cold, noinline)) bool virtio_net_abandon(struct virtio_net_pair *pair)
{
    bool worked = false;
    struct bm_packet *packet;
    while ((packet = bm_virtqueue_abandon(&pair->receive))) {
        bm_packet_free(packet);
        worked = true;
    }
    for (;;) {
        bm_spinlock_acquire(&pair->lock);
        void *cookie = bm_virtqueue_abandon(&pair->transmit);
        bm_spinlock_release(&pair->lock);
        if (!cookie)
            break;
        pair->queue.transmit_completed++;
        pair->queue.stack->sent(&pair->queue, cookie);
        worked = true;
    }
    bm_virtio_net_config_changed(pair);
    return worked;
}

// The configuration is the first pair's business.
static inline bool is_config_changed(const struct virtio_net_pair *pair)
{
    return atomic_load_explicit(&pair->receive.device->config_changed, memory_order_relaxed) &&
           pair->queue.number == 0;
}

static bool virtio_net_poll(void *arg)
{
    struct virtio_net_pair *pair = arg;
    struct bm_virtio_device *device = pair->receive.device;
    if (__builtin_expect(device->broken, 0))
        return virtio_net_abandon(pair);
    if (__builtin_expect(is_config_changed(pair), 0)) {
        atomic_store(&device->config_changed, false);
        bm_virtio_net_config_changed(pair);
    }
    bool worked = bm_virtqueue_ready(&pair->transmit) && virtio_net_reclaim(pair);
    return virtio_net_receive(pair) || worked;
}

// Before a core halts. Frames that were sent are not worth an interrupt, unless the stack waits for room or
// soon will: then one comes when half of the queue is free again.
static bool virtio_net_arm(void *arg)
{
    struct virtio_net_pair *pair = arg;
    if (pair->receive.device->broken)
        return false;
    bool work = bm_virtqueue_arm(&pair->receive, 1);
    bm_spinlock_acquire(&pair->lock);
    if (pair->full || pair->transmit.free_count < pair->transmit.size / 4) {
        unsigned under_way = (uint16_t)(pair->transmit.available_index - pair->transmit.used_index);
        work |= bm_virtqueue_arm(&pair->transmit, under_way > 2 ? under_way / 2 : 1);
    }
    bm_spinlock_release(&pair->lock);
    return work || is_config_changed(pair);
}

// A device without interrupts is looked at now and then, its link too.
static __attribute__((cold)) uint64_t virtio_net_deadline(void *arg)
{
    const struct virtio_net_pair *pair = arg;
    struct bm_virtio_device *device = pair->receive.device;
    if (device->interrupts || device->broken)
        return UINT64_MAX;
    atomic_store(&device->config_changed, true);
    return bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
}

__attribute__((cold)) void bm_virtio_net_pair_poll(struct virtio_net_pair *pair)
{
    pair->queue.poller = (struct bm_poller){.name = "virtio_net",
                                            .poll = virtio_net_poll,
                                            .arm = virtio_net_arm,
                                            .deadline = virtio_net_deadline,
                                            .arg = pair};
}
