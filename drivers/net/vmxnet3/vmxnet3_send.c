// Frames to vmxnet3: the transmit ring, checksums and segmentation.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A frame's first descriptor gets the generation of its round last: the device stops in front of it until all
// of the frame is there. A frame of more pieces than the device takes ends in a copy.
#include "vmxnet3.h"

#include <baremetal/error.h>
#include <baremetal/memory.h>

enum { RING_MASK = SEND_COUNT - 1 };

// A frame on its way into the ring.
struct building {
    struct vmxnet3_send *send;
    const struct bm_netdev_frame *frame;
    unsigned next;   // number of the descriptor to fill
    unsigned direct; // descriptors that may point into the stack's memory
    uint8_t bounce;  // as in struct vmxnet3_frame
};

static inline bool put_descriptor(struct building *building, uint64_t address, uint32_t length)
{
    struct vmxnet3_send *send = building->send;
    if (__builtin_expect(building->next - send->first == SEND_COUNT - 1, 0)) // never all
        return false;
    bool generation = vmxnet3_generation(building->next, SEND_COUNT);
    if (building->next == send->next)
        generation = !generation; // not yet
    struct vmxnet3_descriptor *descriptor = &send->ring[building->next++ & RING_MASK];
    descriptor->address = address;
    descriptor->high = 0;
    __atomic_store_n(&descriptor->low, (length & SEND_LENGTH_MASK) | (generation ? SEND_GENERATION : 0),
                     __ATOMIC_RELEASE);
    return true;
}

// Adds a piece of memory, in as many descriptors as it needs and may have: *left is what remains. Returns 0,
// -BM_EAGAIN, or -BM_EINVAL for memory that is none.
static inline int put(struct building *building, const unsigned char *data, uint32_t *left)
{
    while (*left && building->direct) {
        uint64_t address;
        uint32_t piece = frame_piece(data, *left, PIECE_MAX, &address);
        if (__builtin_expect(!piece, 0))
            return -BM_EINVAL;
        if (!put_descriptor(building, address, piece))
            return -BM_EAGAIN;
        building->direct--;
        data += piece;
        *left -= piece;
    }
    return 0;
}

// The frame's bytes from `skip` on, by a copy.
static __attribute__((cold, noinline)) int put_copy(struct building *building, uint32_t skip)
{
    struct vmxnet3_send *send = building->send;
    unsigned place = 0;
    while (place < BOUNCES && send->bounces_used & 1u << place)
        place++;
    if (place == BOUNCES)
        return -BM_EAGAIN; // those that have them are under way
    unsigned char *copy = send->bounces[place];
    uint32_t left = frame_copy(building->frame, skip, copy, BM_PAGE_SIZE << BOUNCE_ORDER);
    building->bounce = (uint8_t)(place + 1);
    building->direct = BOUNCE_PIECES;
    return put(building, copy, &left);
}

// The frame's bytes from `skip` on.
static inline int put_frame(struct building *building, uint32_t skip)
{
    const struct bm_netdev_frame *frame = building->frame;
    uint32_t behind = 0; // bytes of the segments before, and of this one, that have been put
    for (unsigned i = 0; i < frame->segment_count; i++) {
        const struct bm_netdev_segment *segment = &frame->segments[i];
        uint32_t skipped =
            skip < behind + segment->length ? skip > behind ? skip - behind : 0 : segment->length;
        uint32_t left = segment->length - skipped;
        int error = put(building, (const unsigned char *)segment->data + skipped, &left);
        behind += segment->length;
        if (__builtin_expect(error || left, 0))
            return error ? error : put_copy(building, behind - left);
    }
    return 0;
}

// A frame that the device cuts up: its headers from a copy, then the rest.
static int put_segments(struct building *building, uint32_t length)
{
    const struct bm_netdev_frame *frame = building->frame;
    uint32_t size = frame->header_length, start = frame->checksum_start;
    unsigned char *headers = building->send->headers + (size_t)(building->next & RING_MASK) * HEADER_SIZE;
    if (size > HEADER_SIZE || start + TCP_HEADER > size || size >= length || length > UINT16_MAX + ETHERNET ||
        frame->gso_size > SEND_PLACE_MAX || frame_copy(frame, 0, headers, size) != size ||
        !frame_segments_prepare(headers, frame, true))
        return -BM_EINVAL;
    uint32_t left = size;
    building->direct = SEGMENTS_MAX - BOUNCE_PIECES;
    int error = put(building, headers, &left);
    return error ? error : put_frame(building, size);
}

static inline bool refuses(const struct bm_netdev *netdev, const struct bm_netdev_frame *frame)
{
    return frame_is_refused(netdev, frame) || frame->checksum_start > SEND_HEADER_MAX ||
           frame->checksum_start + frame->checksum_offset > SEND_PLACE_MAX;
}

// All descriptors of a frame but for what the first and the last one say. Returns 0 or an error.
static inline int build(struct vmxnet3 *self, struct building *building, uint32_t length)
{
    if (__builtin_expect(building->frame->gso_type, 0))
        return put_segments(building, length);
    if (__builtin_expect(length > self->netdev.mtu + (uint32_t)ETHERNET || length < FRAME_MIN, 0))
        return -BM_EINVAL;
    building->direct = PIECES_MAX - 1; // a copy has one
    return put_frame(building, 0);
}

// Gives what has been built to the device: what is to be done with it stands in the first descriptor, which
// becomes the device's at last.
static inline void publish(struct vmxnet3_send *send, const struct building *building)
{
    const struct bm_netdev_frame *frame = building->frame;
    struct vmxnet3_descriptor *first = &send->ring[send->next & RING_MASK];
    uint32_t low = first->low ^ SEND_GENERATION;
    send->ring[(building->next - 1) & RING_MASK].high = SEND_END | SEND_REPORT;
    if (__builtin_expect(frame->gso_type, 0)) {
        first->high |= SEND_SEGMENTS | frame->header_length;
        low |= (uint32_t)frame->gso_size << SEND_PLACE_SHIFT;
    } else if (frame->checksum_start) {
        first->high |= SEND_SUM | frame->checksum_start;
        low |= (uint32_t)(frame->checksum_start + frame->checksum_offset) << SEND_PLACE_SHIFT;
    }
    __atomic_store_n(&first->low, low, __ATOMIC_RELEASE);
}

// Under the lock.
static inline int queue_frame(struct vmxnet3 *self, const struct bm_netdev_frame *frame)
{
    struct vmxnet3_send *send = &self->send;
    struct building building = {.send = send, .frame = frame, .next = send->next};
    uint32_t length = frame_length(frame);
    int error = build(self, &building, length);
    if (__builtin_expect(error, 0)) // a frame that does not even fit into an empty ring never will
        return error == -BM_EAGAIN && send->first != send->next ? error : -BM_EINVAL;
    struct vmxnet3_frame *entry = &send->frames[send->next & RING_MASK];
    entry->cookie = frame->cookie;
    entry->last = building.next - 1;
    entry->bounce = building.bounce;
    if (__builtin_expect(building.bounce, 0))
        send->bounces_used |= 1u << (building.bounce - 1);
    publish(send, &building);
    send->next = building.next;
    self->queue.transmitted++;
    self->queue.transmitted_bytes += length;
    return 0;
}

int bm_vmxnet3_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    struct vmxnet3 *self = vmxnet3_of(queue);
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

void bm_vmxnet3_flush(struct bm_netqueue *queue)
{
    struct vmxnet3 *self = vmxnet3_of(queue);
    bm_spinlock_acquire(&self->lock);
    if (__builtin_expect(!self->send.stopped && self->send.rung != self->send.next, 1)) {
        self->send.rung = self->send.next;
        vmxnet3_ring(self, SEND_DOOR, self->send.next & RING_MASK);
    }
    bm_spinlock_release(&self->lock);
}

// Takes the oldest frame out of the ring.
static void *take_first(struct vmxnet3 *self)
{
    struct vmxnet3_send *send = &self->send;
    const struct vmxnet3_frame *frame = &send->frames[send->first & RING_MASK];
    if (__builtin_expect(frame->bounce, 0))
        send->bounces_used &= ~(1u << (frame->bounce - 1));
    send->first = frame->last + 1;
    self->queue.transmit_completed++;
    return frame->cookie;
}

// Frames leave in their order: a completion names the last descriptor of the oldest one, which the device
// must have.
static bool take_completion(struct vmxnet3 *self)
{
    struct vmxnet3_send *send = &self->send;
    const struct vmxnet3_completion *entry = &send->completions.entries[send->completions.next];
    unsigned index = __atomic_load_n(&entry->words[0], __ATOMIC_RELAXED) & COMPLETION_INDEX_MASK;
    vmxnet3_completions_step(&send->completions);
    return send->first != send->next && index == (send->frames[send->first & RING_MASK].last & RING_MASK);
}

bool bm_vmxnet3_reclaim(struct vmxnet3 *self)
{
    void *cookies[BATCH];
    unsigned count = 0;
    bool wrong = false;
    bm_spinlock_acquire_inline(&self->lock);
    while (count < BATCH && !wrong && vmxnet3_completed(&self->send.completions)) {
        wrong = !take_completion(self);
        if (!wrong)
            cookies[count++] = take_first(self);
    }
    if (count) {
        self->send.full = false;
        self->stuck_since = 0;
        self->restarts = 0;
    }
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < count; i++)
        self->queue.stack->sent(&self->queue, cookies[i]); // who sent is a stack
    if (__builtin_expect(wrong, 0))
        bm_vmxnet3_fail(self, "claims to have sent what it does not have");
    return count != 0;
}

__attribute__((cold)) unsigned bm_vmxnet3_send_stop(struct vmxnet3 *self)
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

__attribute__((cold)) void bm_vmxnet3_send_start(struct vmxnet3 *self, unsigned abandoned)
{
    bm_spinlock_acquire(&self->lock);
    self->send.stopped = self->broken;
    self->send.full = false;
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < abandoned; i++)
        self->queue.stack->sent(&self->queue, self->send.abandoned[i]);
}

__attribute__((cold)) void bm_vmxnet3_send_reset(struct vmxnet3 *self)
{
    struct vmxnet3_send *send = &self->send;
    __builtin_memset(send->ring, 0, SEND_COUNT * sizeof *send->ring);
    bm_vmxnet3_completions_reset(&send->completions);
    send->first = send->next = send->rung = 0;
}
