// Frames to Intel's gigabit controllers: the transmit ring, checksums and segmentation.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// Sections without a name are those of Intel's manual of the 8254x (317453). A frame is its data descriptors
// (section 3.3.7), with a context descriptor (section 3.3.6) in front when its checksum is not where the last
// one's was. Of what the device writes back, one bit counts, and only of descriptors that it has.
#include "gigabit.h"

#include <baremetal/error.h>

enum { RING_MASK = SEND_COUNT - 1 };

// A frame on its way into the ring.
struct building {
    struct gigabit_send *send;
    unsigned next; // number of the descriptor to fill
    uint32_t command, option;
};

static inline unsigned room(const struct gigabit_send *send, unsigned next)
{
    return SEND_COUNT - 1 - (next - send->first); // never all: see gigabit_receive.c
}

static inline bool put_descriptor(struct building *building, uint64_t address, uint32_t low, uint32_t high)
{
    if (__builtin_expect(!room(building->send, building->next), 0))
        return false;
    building->send->descriptors[building->next++ & RING_MASK] =
        (struct gigabit_descriptor){.address = address, .low = low, .high = high};
    return true;
}

// Adds a piece of memory, in as many descriptors as it needs. Returns 0, -BM_EAGAIN, or -BM_EINVAL for memory
// that is none.
static inline int put(struct building *building, const unsigned char *data, uint32_t left)
{
    while (left) {
        uint64_t address;
        uint32_t piece = frame_piece(data, left, PIECE_MAX, &address);
        if (__builtin_expect(!piece, 0))
            return -BM_EINVAL;
        if (!put_descriptor(building, address, building->command | piece, building->option))
            return -BM_EAGAIN;
        data += piece;
        left -= piece;
    }
    return 0;
}

// The frame's bytes from `skip` on.
static inline int put_frame(struct building *building, const struct bm_netdev_frame *frame, uint32_t skip)
{
    int error = 0;
    for (unsigned i = 0; i < frame->segment_count && !error; i++) {
        const struct bm_netdev_segment *segment = &frame->segments[i];
        uint32_t skipped = skip < segment->length ? skip : segment->length;
        skip -= skipped;
        error = put(building, (const unsigned char *)segment->data + skipped, segment->length - skipped);
    }
    return error;
}

// The context of an ordinary frame: where to sum from, and where to put the sum (section 3.3.6).
static inline bool put_checksum(struct building *building, const struct bm_netdev_frame *frame)
{
    struct gigabit_send *send = building->send;
    uint32_t start = frame->checksum_start & 0xff;
    uint32_t context = start << 8 | ((start + frame->checksum_offset) & 0xff);
    if (send->context == context)
        return true;
    // An IP header's sum is not wanted: its fields say nothing, but they have to say something that can be.
    uint64_t sums =
        (uint64_t)(start | (start + frame->checksum_offset) << 8) << 32 | (14 | 24 << 8 | (start - 1) << 16);
    return put_descriptor(building, sums, SEND_EXTENDED | CONTEXT_TCP, 0);
}

// A frame that the device cuts up: a context of its own, its headers from a copy, then the rest. Nothing is
// put behind a header that is none.
static int put_segments(struct building *building, const struct bm_netdev_frame *frame, uint32_t length)
{
    unsigned size = frame->header_length, start = frame->checksum_start;
    unsigned char *headers = building->send->headers + (size_t)(building->next & RING_MASK) * HEADER_SIZE;
    if (size > HEADER_SIZE || start + TCP_HEADER > size || size >= length || length > UINT16_MAX + ETHERNET ||
        frame_copy(frame, 0, headers, size) != size)
        return -BM_EINVAL;
    unsigned ip = frame_segments_prepare(headers, frame, false); // section 3.5.4
    if (!ip)
        return -BM_EINVAL;
    bool is_4 = frame->gso_type == BM_NETDEV_GSO_TCP4;
    uint64_t sums = (uint64_t)(start | (start + TCP_CHECKSUM) << 8) << 32 |
                    (ip | (ip + 10) << 8 | (is_4 ? start - 1 : 0) << 16);
    uint32_t command = SEND_EXTENDED | CONTEXT_TCP | CONTEXT_SEGMENTS | (is_4 ? CONTEXT_IP4 : 0);
    if (!put_descriptor(building, sums, command | (length - size),
                        size << 8 | (uint32_t)frame->gso_size << 16))
        return -BM_EAGAIN;
    building->option = OPTION_SUM | (is_4 ? OPTION_IP_SUM : 0);
    building->command |= SEND_SEGMENTS;
    int error = put(building, headers, size);
    return error ? error : put_frame(building, frame, size);
}

// A frame that is too short for the device to pad goes out from a copy that is not.
static int put_short(struct building *building, const struct bm_netdev_frame *frame, uint32_t length)
{
    unsigned char *copy = building->send->headers + (size_t)(building->next & RING_MASK) * HEADER_SIZE;
    if (length < FRAME_MIN)
        return -BM_EINVAL;
    __builtin_memset(copy, 0, 60);
    frame_copy(frame, 0, copy, 60);
    return put(building, copy, 60);
}

// The last bytes of a frame that is cut up, and of the one behind it, get a descriptor of their own: 8254x
// report such a one as done before they have read all of it, if its data is a single descriptor
// (specification updates of the 82540 and 82545, errata of TCP segmentation).
static bool split_last(struct building *building)
{
    struct gigabit_descriptor *last = &building->send->descriptors[(building->next - 1) & RING_MASK];
    uint32_t length = last->low & 0xfffff;
    if (length <= 2 * SENTINEL)
        return true;
    last->low -= SENTINEL;
    return put_descriptor(building, last->address + length - SENTINEL, building->command | SENTINEL,
                          building->option);
}

static inline bool refuses(const struct bm_netdev *netdev, const struct bm_netdev_frame *frame)
{
    // The device's fields for the places of sums have eight bits.
    return frame_is_refused(netdev, frame) ||
           (frame->checksum_start && frame->checksum_start + frame->checksum_offset > 0xff);
}

// All descriptors of a frame but for what the last one says. Returns 0 or an error. What is to be summed is
// said by the first data descriptor (section 3.3.7.3); QEMU's 82574 believes the last one, so all say it.
static inline int build(struct gigabit *self, struct building *building, const struct bm_netdev_frame *frame,
                        uint32_t length)
{
    int error;
    if (__builtin_expect(frame->gso_type, 0)) {
        error = put_segments(building, frame, length);
    } else if (__builtin_expect(length > self->netdev.mtu + (uint32_t)ETHERNET, 0)) {
        return -BM_EINVAL;
    } else if (__builtin_expect(length < FRAME_PAD, 0)) {
        error = frame->checksum_start ? -BM_EINVAL : put_short(building, frame, length);
    } else {
        if (frame->checksum_start && !put_checksum(building, frame))
            return -BM_EAGAIN;
        building->option = frame->checksum_start ? OPTION_SUM : 0;
        error = put_frame(building, frame, 0);
    }
    bool split = self->chip->sentinel && (frame->gso_type || building->send->after_segments);
    return error ? error : !split || split_last(building) ? 0 : -BM_EAGAIN;
}

// Under the lock.
static inline int queue_frame(struct gigabit *self, const struct bm_netdev_frame *frame)
{
    struct gigabit_send *send = &self->send;
    struct building building = {
        .send = send, .next = send->next, .command = SEND_EXTENDED | SEND_DATA | SEND_CRC};
    uint32_t length = frame_length(frame);
    int error = build(self, &building, frame, length);
    if (__builtin_expect(error, 0)) // a frame that does not even fit into an empty ring never will
        return error == -BM_EAGAIN && send->first != send->next ? error : -BM_EINVAL;
    unsigned last = building.next - 1;
    send->descriptors[last & RING_MASK].low |= SEND_END | SEND_REPORT;
    send->frames[send->next & RING_MASK].cookie = frame->cookie;
    send->frames[send->next & RING_MASK].last = last;
    if (frame->gso_type)
        send->context = 0; // the device may have but one
    else if (frame->checksum_start)
        send->context =
            (uint32_t)frame->checksum_start << 8 | (frame->checksum_start + frame->checksum_offset);
    send->after_segments = frame->gso_type;
    send->next = building.next;
    self->queue.transmitted++;
    self->queue.transmitted_bytes += length;
    return 0;
}

int bm_gigabit_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    struct gigabit *self = gigabit_of(queue);
    int error = -BM_EINVAL;
    bm_spinlock_acquire_inline(&self->lock);
    if (__builtin_expect(!self->broken && !refuses(queue->device, frame), 1))
        error = __builtin_expect(self->send.stopped, 0) ? -BM_EAGAIN : queue_frame(self, frame);
    if (__builtin_expect(error, 0)) {
        self->send.full |= error == -BM_EAGAIN;
        queue->transmit_errors += error != -BM_EAGAIN;
    }
    bm_spinlock_release(&self->lock);
    return error;
}

void bm_gigabit_flush(struct bm_netqueue *queue)
{
    struct gigabit *self = gigabit_of(queue);
    bm_spinlock_acquire(&self->lock);
    if (__builtin_expect(!self->send.stopped && self->send.rung != self->send.next, 1)) {
        __atomic_thread_fence(__ATOMIC_RELEASE);
        self->send.rung = self->send.next;
        gigabit_write(self, TDT, self->send.next & RING_MASK);
    }
    bm_spinlock_release(&self->lock);
}

// Whether the oldest frame has left (section 3.3.7.2). A frame is the device's when its doorbell was rung.
static inline bool is_sent(const struct gigabit_send *send)
{
    if (send->first == send->rung)
        return false;
    unsigned last = send->frames[send->first & RING_MASK].last;
    return __atomic_load_n(&send->descriptors[last & RING_MASK].high, __ATOMIC_ACQUIRE) & SENT_DONE;
}

bool bm_gigabit_send_ready(const struct gigabit *self)
{
    return is_sent(&self->send);
}

// Takes the oldest frame out of the ring.
static void *take_first(struct gigabit *self)
{
    struct gigabit_send *send = &self->send;
    unsigned slot = send->first & RING_MASK;
    send->first = send->frames[slot].last + 1;
    self->queue.transmit_completed++;
    return send->frames[slot].cookie;
}

bool bm_gigabit_reclaim(struct gigabit *self)
{
    void *cookies[BATCH];
    unsigned count = 0;
    bm_spinlock_acquire_inline(&self->lock);
    while (count < BATCH && is_sent(&self->send))
        cookies[count++] = take_first(self);
    if (count) {
        self->send.full = false;
        self->stuck_since = 0;
        self->restarts = 0;
    }
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < count; i++)
        self->queue.stack->sent(&self->queue, cookies[i]); // who sent is a stack
    return count != 0;
}

__attribute__((cold)) unsigned bm_gigabit_send_stop(struct gigabit *self)
{
    unsigned count = 0;
    bm_spinlock_acquire(&self->lock);
    self->send.stopped = true;
    while (self->send.first != self->send.next)
        self->send.abandoned[count++] = take_first(self);
    self->queue.transmit_errors += count;
    bm_spinlock_release(&self->lock);
    return count;
}

__attribute__((cold)) void bm_gigabit_send_start(struct gigabit *self, unsigned abandoned)
{
    bm_spinlock_acquire(&self->lock);
    self->send.stopped = self->broken;
    self->send.full = false;
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < abandoned; i++)
        self->queue.stack->sent(&self->queue, self->send.abandoned[i]);
}

__attribute__((cold)) void bm_gigabit_send_reset(struct gigabit *self)
{
    struct gigabit_send *send = &self->send;
    send->first = send->next = send->rung = 0;
    send->context = 0;
    send->after_segments = false;
}
