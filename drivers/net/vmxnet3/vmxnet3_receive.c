// Frames from vmxnet3: the rings of buffers and that of completions.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// The device fills the buffers of ring 1 in their order, each with a whole frame, and says so in the
// completions. A jumbo frame begins in one of ring 1, which it fills, and goes on in those of ring 2. Nothing
// that the device writes is believed: a completion has to name the buffer that is next, a length is compared
// with it.
#include "vmxnet3.h"

#include <baremetal/error.h>
#include <baremetal/memory.h>

static void buffers_fill(struct vmxnet3 *self, struct vmxnet3_buffers *buffers, uint32_t kind)
{
    unsigned wanted = buffers->count - 1 - buffers->given; // never all: the device counts so
    struct bm_packet *packet = wanted ? bm_packet_allocate(self->queue.pool, wanted) : NULL;
    for (; packet; packet = packet->next) {
        unsigned number = buffers->next + buffers->given++;
        struct vmxnet3_descriptor *descriptor = &buffers->ring[number & (buffers->count - 1)];
        buffers->packets[number & (buffers->count - 1)] = packet;
        descriptor->address = packet->dma + BM_PACKET_DATA_OFFSET;
        descriptor->high = 0;
        // The generation says that the rest is there.
        __atomic_store_n(&descriptor->low,
                         FRAME_ROOM | kind |
                             (vmxnet3_generation(number, buffers->count) ? BUFFER_GENERATION : 0),
                         __ATOMIC_RELEASE);
    }
}

static inline bool is_jumbo(const struct vmxnet3 *self)
{
    return self->netdev.mtu > MTU_DEFAULT;
}

static inline unsigned door_of(const struct vmxnet3_buffers *buffers)
{
    return (buffers->next + buffers->given) & (buffers->count - 1);
}

void bm_vmxnet3_doors_ring(struct vmxnet3 *self)
{
    vmxnet3_ring(self, RECEIVE_DOOR, door_of(&self->receive.heads));
    if (is_jumbo(self))
        vmxnet3_ring(self, BODIES_DOOR, door_of(&self->receive.bodies));
}

void bm_vmxnet3_fill(struct vmxnet3 *self)
{
    buffers_fill(self, &self->receive.heads, 0);
    if (is_jumbo(self))
        buffers_fill(self, &self->receive.bodies, BUFFER_BODY);
}

static inline uint16_t flags_of(const uint32_t words[4])
{
    bool summed = words[3] & (RECEIVED_TCP | RECEIVED_UDP) && words[3] & RECEIVED_SUM_GOOD;
    return summed && !(words[0] & RECEIVED_NO_SUM) && !(words[3] & RECEIVED_FRAGMENT)
               ? BM_PACKET_CHECKSUM_GOOD
               : 0;
}

// Takes the next completion's buffer. Returns NULL when the device broke the rules.
static inline struct bm_packet *take(struct vmxnet3 *self, uint32_t words[4])
{
    struct vmxnet3_receive *receive = &self->receive;
    const struct vmxnet3_completion *entry = &receive->completions.entries[receive->completions.next];
    for (unsigned i = 0; i < 4; i++)
        words[i] = __atomic_load_n(&entry->words[i], __ATOMIC_RELAXED);
    vmxnet3_completions_step(&receive->completions);
    uint32_t ring = words[0] & RECEIVED_QUEUE;
    struct vmxnet3_buffers *buffers = ring ? &receive->bodies : &receive->heads;
    unsigned index = buffers->next & (buffers->count - 1);
    if (!buffers->given || (words[0] & COMPLETION_INDEX_MASK) != index || (ring && ring != RECEIVED_BODIES) ||
        (words[2] & RECEIVED_LENGTH) > FRAME_ROOM)
        return NULL;
    buffers->next++;
    buffers->given--;
    struct bm_packet *packet = buffers->packets[index];
    packet->next = NULL;
    packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
    packet->length = (uint16_t)(words[2] & RECEIVED_LENGTH);
    packet->flags = 0;
    return packet;
}

static void packets_free(struct bm_packet *packet)
{
    while (packet) {
        struct bm_packet *next = packet->next;
        bm_packet_free(packet);
        packet = next;
    }
}

// Adds a piece to the frame that it is of: one that begins drops what has not ended, one that goes on without
// a beginning is dropped.
static inline void collect(struct vmxnet3 *self, struct bm_packet *packet, const uint32_t words[4])
{
    struct vmxnet3_receive *receive = &self->receive;
    bool begins = words[0] & RECEIVED_START, ends = words[0] & RECEIVED_END;
    if (begins && __builtin_expect(receive->first != NULL, 0)) {
        self->queue.receive_dropped++;
        packets_free(receive->first);
        receive->first = NULL;
    }
    if (!receive->first) {
        receive->first = packet;
        receive->length = 0;
        receive->bad = !begins;
    } else if (receive->bad || !packet->length) { // of a frame that is dropped, or nothing
        bm_packet_free(packet);
        packet = receive->last;
    } else {
        receive->last->flags |= BM_PACKET_MORE;
        receive->last->next = packet;
    }
    receive->last = packet;
    receive->length += words[2] & RECEIVED_LENGTH;
    // Each piece but the last is full.
    receive->bad |= words[2] & RECEIVED_ERROR || (!ends && (words[2] & RECEIVED_LENGTH) != FRAME_ROOM) ||
                    receive->length > vmxnet3_mtu_taken(self) + ETHERNET;
}

// The frame is whole: hands it to *tail or drops it.
static inline struct bm_packet **finish(struct vmxnet3 *self, const uint32_t words[4],
                                        struct bm_packet **tail, bool wanted)
{
    struct vmxnet3_receive *receive = &self->receive;
    struct bm_packet *first = receive->first;
    receive->first = NULL;
    if (!wanted || receive->bad || receive->length < FRAME_MIN) {
        self->queue.receive_dropped++;
        packets_free(first);
        return tail;
    }
    first->flags |= flags_of(words);
    self->queue.received++;
    self->queue.received_bytes += receive->length;
    *tail = first;
    return &receive->last->next;
}

bool bm_vmxnet3_receive(struct vmxnet3 *self)
{
    struct vmxnet3_receive *receive = &self->receive;
    const struct bm_netdev_stack *stack = __atomic_load_n(&self->queue.stack, __ATOMIC_ACQUIRE);
    struct bm_packet *batch = NULL, **tail = &batch;
    uint32_t words[4];
    unsigned count = 0;
    for (; count < BATCH && vmxnet3_completed(&receive->completions); count++) {
        struct bm_packet *packet = take(self, words);
        if (__builtin_expect(!packet, 0)) {
            bm_vmxnet3_fail(self, "claims to have filled what it does not have");
            break;
        }
        collect(self, packet, words);
        if (words[0] & RECEIVED_END)
            tail = finish(self, words, tail, stack != NULL);
    }
    if (batch)
        stack->input(&self->queue, batch);
    // After the stack: the buffers that it gave back at once are the ones in the cache.
    if ((receive->heads.count - 1 - receive->heads.given >= FILL_MIN ||
         (is_jumbo(self) && receive->bodies.count - 1 - receive->bodies.given >= FILL_MIN)) &&
        !self->broken) {
        bm_vmxnet3_fill(self);
        if (__atomic_load_n(&self->queues->receive.door_wanted, __ATOMIC_RELAXED))
            bm_vmxnet3_doors_ring(self);
    }
    return count != 0;
}

static __attribute__((cold)) bool buffers_abandon(struct vmxnet3_buffers *buffers)
{
    bool any = buffers->given;
    for (; buffers->given; buffers->given--)
        bm_packet_free(buffers->packets[buffers->next++ & (buffers->count - 1)]);
    return any;
}

__attribute__((cold)) bool bm_vmxnet3_receive_abandon(struct vmxnet3 *self)
{
    struct vmxnet3_receive *receive = &self->receive;
    bool any = receive->first;
    packets_free(receive->first);
    receive->first = NULL;
    any |= buffers_abandon(&receive->heads);
    return buffers_abandon(&receive->bodies) || any;
}

__attribute__((cold)) void bm_vmxnet3_receive_reset(struct vmxnet3 *self)
{
    struct vmxnet3_receive *receive = &self->receive;
    bm_vmxnet3_receive_abandon(self);
    __builtin_memset(receive->heads.ring, 0, receive->heads.count * sizeof *receive->heads.ring);
    __builtin_memset(receive->bodies.ring, 0, receive->bodies.count * sizeof *receive->bodies.ring);
    bm_vmxnet3_completions_reset(&receive->completions);
    receive->heads.next = receive->bodies.next = 0;
}
