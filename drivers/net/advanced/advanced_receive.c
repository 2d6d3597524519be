// Frames from Intel's controllers with advanced descriptors: the receive ring.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87). The device writes each frame into one pool
// buffer, headers and all; jumbo frames into several, each of which but the last it fills. Nothing that it
// writes is believed: a descriptor counts only while the device has it, a length only up to its buffer.
#include "advanced.h"

#include <baremetal/error.h>
#include <baremetal/memory.h>

// Bytes of each buffer that the device may write: it knows whole KiB alone (SRRCTL, section 8.10.2), so that
// ordinary frames, of at most 1,526 bytes, get the room of 2,048, and longer ones pieces of 1,024.
static inline unsigned buffer_size(const struct advanced *self)
{
    return self->netdev.mtu > MTU_DEFAULT ? 1024 : FRAME_ROOM;
}

// The longest frame that is taken: a neighbour whose MTU is larger than ours is heard all the same where the
// device carries it.
static inline unsigned frame_max(const struct advanced *self)
{
    return ETHERNET + (self->netdev.mtu > MTU_DEFAULT ? self->family->mtu_max : MTU_DEFAULT);
}

// A descriptor as the device has written it back (section 7.1.5.2).
struct arrival {
    uint32_t status; // and errors
    unsigned length;
};

static inline bool arrival_read(const struct advanced *self, struct arrival *arrival)
{
    const struct advanced_receive *receive = &self->receive;
    const struct advanced_descriptor *descriptor =
        &receive->descriptors[receive->next & (receive->count - 1)];
    arrival->status = __atomic_load_n(&descriptor->low, __ATOMIC_ACQUIRE);
    if (!(arrival->status & RECEIVED_DONE))
        return false;
    arrival->length = __atomic_load_n(&descriptor->high, __ATOMIC_RELAXED) & 0xffff;
    return true;
}

bool bm_advanced_receive_ready(const struct advanced *self)
{
    struct arrival arrival;
    return self->receive.given && arrival_read(self, &arrival);
}

void bm_advanced_fill(struct advanced *self)
{
    struct advanced_receive *receive = &self->receive;
    // One descriptor stays free: head and tail at the same place mean an empty ring (section 7.1.6).
    unsigned wanted = receive->count - 1 - receive->given;
    struct bm_packet *packet = wanted ? bm_packet_allocate(self->queue.pool, wanted) : NULL;
    if (!packet)
        return;
    for (; packet; packet = packet->next) {
        unsigned index = (receive->next + receive->given++) & (receive->count - 1);
        receive->packets[index] = packet;
        receive->descriptors[index] =
            (struct advanced_descriptor){.address = packet->dma + BM_PACKET_DATA_OFFSET};
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    advanced_write(self, self->family->receive + RING_TAIL,
                   (receive->next + receive->given) & (receive->count - 1));
}

static void packets_free(struct bm_packet *packet)
{
    while (packet) {
        struct bm_packet *next = packet->next;
        bm_packet_free(packet);
        packet = next;
    }
}

static inline uint16_t flags_of(const struct advanced *self, const struct arrival *arrival)
{
    bool good = arrival->status & RECEIVED_SUMMED && !(arrival->status & self->family->sum_errors);
    return good && self->netdev.capabilities & BM_NETDEV_CHECKSUM_RX ? BM_PACKET_CHECKSUM_GOOD : 0;
}

// Adds the descriptor's packet to the frame that has begun. Returns false when the device broke the rules.
static inline bool collect(struct advanced *self, struct bm_packet *packet, const struct arrival *arrival)
{
    struct advanced_receive *receive = &self->receive;
    unsigned size = buffer_size(self);
    bool end = arrival->status & RECEIVED_END;
    if (arrival->length > size || (!end && arrival->length != size)) {
        bm_packet_free(packet);
        bm_advanced_fail(self, "claims to have written what a buffer does not hold");
        return false;
    }
    packet->next = NULL;
    packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
    packet->length = (uint16_t)arrival->length;
    packet->flags = 0;
    receive->length += arrival->length;
    receive->bad |= receive->length > frame_max(self);
    if (!receive->first) {
        receive->first = receive->last = packet;
    } else if (receive->bad || !arrival->length) {
        // Too long, and the rest of it is not kept; or a buffer that only the CRC, which is left out, needed.
        bm_packet_free(packet);
    } else {
        receive->last->flags |= BM_PACKET_MORE;
        receive->last->next = packet;
        receive->last = packet;
    }
    return true;
}

// The frame is whole: hands it to *tail or drops it.
static inline struct bm_packet **finish(struct advanced *self, const struct arrival *arrival,
                                        struct bm_packet **tail, bool wanted)
{
    struct advanced_receive *receive = &self->receive;
    struct bm_packet *first = receive->first;
    if (receive->bad || receive->length < FRAME_MIN || arrival->status & self->family->errors || !wanted) {
        self->queue.receive_dropped++;
        packets_free(first);
    } else {
        first->flags |= flags_of(self, arrival);
        self->queue.received++;
        self->queue.received_bytes += receive->length;
        *tail = first;
        tail = &receive->last->next;
    }
    receive->first = receive->last = NULL;
    receive->length = 0;
    receive->bad = false;
    return tail;
}

bool bm_advanced_receive(struct advanced *self)
{
    struct advanced_receive *receive = &self->receive;
    const struct bm_netdev_stack *stack = __atomic_load_n(&self->queue.stack, __ATOMIC_ACQUIRE);
    struct bm_packet *batch = NULL, **tail = &batch;
    struct arrival arrival;
    unsigned count = 0;
    for (; count < BATCH && receive->given && arrival_read(self, &arrival); count++) {
        struct bm_packet *packet = receive->packets[receive->next++ & (receive->count - 1)];
        receive->given--;
        if (!collect(self, packet, &arrival))
            break;
        if (arrival.status & RECEIVED_END)
            tail = finish(self, &arrival, tail, stack != NULL);
    }
    if (batch)
        stack->input(&self->queue, batch);
    // After the stack: the buffers that it gave back at once are the ones in the cache. The doorbell is an
    // exit: it is rung for several.
    if (receive->count - 1 - receive->given >= FILL_MIN && !self->broken)
        bm_advanced_fill(self);
    return count != 0;
}

__attribute__((cold)) bool bm_advanced_receive_abandon(struct advanced *self)
{
    struct advanced_receive *receive = &self->receive;
    bool any = receive->given || receive->first;
    for (; receive->given; receive->given--)
        bm_packet_free(receive->packets[receive->next++ & (receive->count - 1)]);
    packets_free(receive->first);
    receive->first = receive->last = NULL;
    receive->length = 0;
    receive->bad = false;
    return any;
}

__attribute__((cold)) void bm_advanced_receive_reset(struct advanced *self)
{
    bm_advanced_receive_abandon(self);
    self->receive.next = 0;
}
