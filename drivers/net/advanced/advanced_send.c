// Frames to Intel's controllers with advanced descriptors: the transmit ring, checksums and segmentation.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87). A frame is its data descriptors (section
// 7.2.2.3), with a context descriptor (section 7.2.2.2) in front when its headers are not as long as those of
// the last one that had a context. Of what the device writes back, one bit counts, and only of descriptors
// that it has.
#include "advanced.h"

#include <baremetal/error.h>

enum { RING_MASK = SEND_COUNT - 1 };

// A frame on its way into the ring.
struct building {
    struct advanced_send *send;
    const struct bm_netdev_frame *frame;
    unsigned next;   // number of the descriptor to fill
    unsigned direct; // data descriptors that it may still have
    uint8_t bounce;  // as in struct advanced_send
    uint32_t command, option, context_bit;
    struct advanced_context context;
};

static inline bool put_descriptor(struct building *building, uint64_t address, uint32_t low, uint32_t high)
{
    if (__builtin_expect(building->next - building->send->first == SEND_COUNT - 1, 0)) // never all
        return false;
    building->send->descriptors[building->next++ & RING_MASK] =
        (struct advanced_descriptor){.address = address, .low = low, .high = high};
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
        if (!put_descriptor(building, address, building->command | piece, building->option))
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
    struct advanced_send *send = building->send;
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

// The context of what follows (section 7.2.2.2): the lengths of its headers, their kinds, and of one that is
// cut up TCP's header and what each segment carries. The device keeps it, and is told again when it differs.
// Its place for the sum is TCP's or UDP's own.
static inline bool put_context(struct building *building, unsigned ethernet, uint32_t kinds,
                               uint32_t segments)
{
    uint32_t lengths = ethernet << CONTEXT_ETHERNET_SHIFT | (building->frame->checksum_start - ethernet);
    const struct advanced_context *last = &building->send->context;
    building->context = (struct advanced_context){lengths, kinds, segments};
    building->option |= building->context_bit | OPTION_SUM;
    if (last->lengths == lengths && last->kinds == kinds && last->segments == segments)
        return true;
    return put_descriptor(building, lengths, SEND_EXTENDED | SEND_CONTEXT | kinds, segments);
}

// A frame that the device cuts up: its headers from a copy, then the rest. Nothing is put behind a header
// that is none.
static int put_segments(struct building *building, uint32_t length)
{
    const struct bm_netdev_frame *frame = building->frame;
    unsigned size = frame->header_length, start = frame->checksum_start;
    unsigned char *headers = building->send->headers + (size_t)(building->next & RING_MASK) * HEADER_SIZE;
    if (size > HEADER_SIZE || start + TCP_HEADER > size || size >= length || length > UINT16_MAX + ETHERNET ||
        frame_copy(frame, 0, headers, size) != size)
        return -BM_EINVAL;
    unsigned ip = frame_segments_prepare(headers, frame, false); // section 7.2.4.5
    if (!ip)
        return -BM_EINVAL;
    bool is_4 = frame->gso_type == BM_NETDEV_GSO_TCP4;
    building->option = (length - size) << SEND_TOTAL_SHIFT | (is_4 ? OPTION_IP_SUM : 0);
    if (!put_context(building, ip, CONTEXT_TCP | (is_4 ? CONTEXT_IP4 : 0),
                     (size - start) << CONTEXT_TCP_SHIFT | (uint32_t)frame->gso_size
                                                               << CONTEXT_SEGMENT_SHIFT))
        return -BM_EAGAIN;
    building->command |= SEND_SEGMENTS;
    uint32_t left = size;
    int error = put(building, headers, &left);
    return error ? error : put_frame(building, size);
}

// A frame that is too short for the device to pad goes out from a copy that is not.
static int put_short(struct building *building, uint32_t length)
{
    unsigned char *copy = building->send->headers + (size_t)(building->next & RING_MASK) * HEADER_SIZE;
    uint32_t left = 60;
    if (length < FRAME_MIN)
        return -BM_EINVAL;
    __builtin_memset(copy, 0, left);
    frame_copy(building->frame, 0, copy, left);
    building->option = left << SEND_TOTAL_SHIFT;
    return put(building, copy, &left);
}

// The device knows TCP's and UDP's checksum, behind headers of at most so many bytes.
static inline bool refuses(const struct bm_netdev *netdev, const struct bm_netdev_frame *frame)
{
    unsigned start = frame->checksum_start, offset = frame->checksum_offset;
    return frame_is_refused(netdev, frame) ||
           (start && (start <= FRAME_MIN || start > FRAME_MIN + CONTEXT_IP_MAX ||
                      (offset != TCP_CHECKSUM && offset != UDP_CHECKSUM)));
}

// All descriptors of a frame but for what the last one says. Returns 0 or an error.
static inline int build(struct advanced *self, struct building *building, uint32_t length)
{
    const struct bm_netdev_frame *frame = building->frame;
    if (__builtin_expect(frame->gso_type, 0))
        return put_segments(building, length);
    if (__builtin_expect(length > self->netdev.mtu + (uint32_t)ETHERNET, 0))
        return -BM_EINVAL;
    if (__builtin_expect(length < FRAME_PAD, 0))
        return frame->checksum_start ? -BM_EINVAL : put_short(building, length);
    building->option = length << SEND_TOTAL_SHIFT;
    if (frame->checksum_start &&
        !put_context(building, FRAME_MIN, frame->checksum_offset == TCP_CHECKSUM ? CONTEXT_TCP : 0, 0))
        return -BM_EAGAIN;
    return put_frame(building, 0);
}

// Under the lock.
static inline int queue_frame(struct advanced *self, const struct bm_netdev_frame *frame)
{
    struct advanced_send *send = &self->send;
    struct building building = {.send = send,
                                .frame = frame,
                                .next = send->next,
                                .direct = PIECES_MAX - BOUNCE_PIECES,
                                .command = SEND_EXTENDED | SEND_DATA | SEND_CRC,
                                .context = send->context,
                                .context_bit = self->family->needs_context_index ? OPTION_CONTEXT : 0};
    uint32_t length = frame_length(frame);
    int error = build(self, &building, length);
    if (__builtin_expect(error, 0)) // a frame that does not even fit into an empty ring never will
        return error == -BM_EAGAIN && send->first != send->next ? error : -BM_EINVAL;
    unsigned last = building.next - 1, slot = send->next & RING_MASK;
    send->descriptors[last & RING_MASK].low |= SEND_END | SEND_REPORT;
    send->frames[slot].cookie = frame->cookie;
    send->frames[slot].last = last;
    send->frames[slot].bounce = building.bounce;
    if (__builtin_expect(building.bounce, 0))
        send->bounces_used |= 1u << (building.bounce - 1);
    send->context = building.context;
    send->next = building.next;
    self->queue.transmitted++;
    self->queue.transmitted_bytes += length;
    return 0;
}

int bm_advanced_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    struct advanced *self = advanced_of(queue);
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

void bm_advanced_flush(struct bm_netqueue *queue)
{
    struct advanced *self = advanced_of(queue);
    bm_spinlock_acquire(&self->lock);
    if (__builtin_expect(!self->send.stopped && self->send.rung != self->send.next, 1)) {
        __atomic_thread_fence(__ATOMIC_RELEASE);
        self->send.rung = self->send.next;
        advanced_write(self, self->family->send + RING_TAIL, self->send.next & RING_MASK);
    }
    bm_spinlock_release(&self->lock);
}

// Whether the oldest frame has left (section 7.2.3.3). A frame is the device's when its doorbell was rung.
static inline bool is_sent(const struct advanced_send *send)
{
    if (send->first == send->rung)
        return false;
    unsigned last = send->frames[send->first & RING_MASK].last;
    return __atomic_load_n(&send->descriptors[last & RING_MASK].high, __ATOMIC_ACQUIRE) & SENT_DONE;
}

bool bm_advanced_send_ready(const struct advanced *self)
{
    return is_sent(&self->send);
}

// Takes the oldest frame out of the ring.
static void *take_first(struct advanced *self)
{
    struct advanced_send *send = &self->send;
    unsigned slot = send->first & RING_MASK;
    if (__builtin_expect(send->frames[slot].bounce, 0))
        send->bounces_used &= ~(1u << (send->frames[slot].bounce - 1));
    send->first = send->frames[slot].last + 1;
    self->queue.transmit_completed++;
    return send->frames[slot].cookie;
}

bool bm_advanced_reclaim(struct advanced *self)
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

__attribute__((cold)) unsigned bm_advanced_send_stop(struct advanced *self)
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

__attribute__((cold)) void bm_advanced_send_start(struct advanced *self, unsigned abandoned)
{
    bm_spinlock_acquire(&self->lock);
    self->send.stopped = self->broken;
    self->send.full = false;
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < abandoned; i++)
        self->queue.stack->sent(&self->queue, self->send.abandoned[i]);
}

__attribute__((cold)) void bm_advanced_send_reset(struct advanced *self)
{
    struct advanced_send *send = &self->send;
    send->first = send->next = send->rung = 0;
    send->context = (struct advanced_context){0};
}
