// Frames from vmxnet3: the ring of buffers and that of completions.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// The device fills the buffers in their order, each with a whole frame, and says so in the completions.
// Nothing that it writes is believed: a completion has to name the buffer that is next, a length is compared
// with it.
#include "vmxnet3.h"

#include <baremetal/error.h>
#include <baremetal/memory.h>

void bm_vmxnet3_fill(struct vmxnet3 *self)
{
    struct vmxnet3_receive *receive = &self->receive;
    unsigned wanted = receive->count - 1 - receive->given; // never all: the device counts so
    struct bm_packet *packet = wanted ? bm_packet_allocate(self->queue.pool, wanted) : NULL;
    if (!packet)
        return;
    for (; packet; packet = packet->next) {
        unsigned number = receive->next + receive->given++;
        struct vmxnet3_descriptor *descriptor = &receive->ring[number & (receive->count - 1)];
        receive->packets[number & (receive->count - 1)] = packet;
        descriptor->address = packet->dma + BM_PACKET_DATA_OFFSET;
        descriptor->high = 0;
        // The generation says that the rest is there.
        __atomic_store_n(&descriptor->low,
                         FRAME_ROOM | (vmxnet3_generation(number, receive->count) ? BUFFER_GENERATION : 0),
                         __ATOMIC_RELEASE);
    }
    if (__atomic_load_n(&self->queues->receive.door_wanted, __ATOMIC_RELAXED))
        vmxnet3_ring(self, RECEIVE_DOOR, (receive->next + receive->given) & (receive->count - 1));
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
    unsigned index = receive->next & (receive->count - 1);
    if (!receive->given || (words[0] & COMPLETION_INDEX_MASK) != index || words[0] & RECEIVED_QUEUE ||
        (words[2] & RECEIVED_LENGTH) > FRAME_ROOM)
        return NULL;
    receive->next++;
    receive->given--;
    return receive->packets[index];
}

// Whether it is a frame: whole, without an error, of a length that can be.
static inline bool is_frame(const struct vmxnet3 *self, const uint32_t words[4])
{
    uint32_t length = words[2] & RECEIVED_LENGTH;
    return (words[0] & (RECEIVED_START | RECEIVED_END)) == (RECEIVED_START | RECEIVED_END) &&
           !(words[2] & RECEIVED_ERROR) && length >= FRAME_MIN &&
           length <= self->netdev.mtu + (unsigned)ETHERNET;
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
        if (!stack || !is_frame(self, words)) {
            self->queue.receive_dropped++;
            bm_packet_free(packet);
            continue;
        }
        packet->next = NULL;
        packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
        packet->length = (uint16_t)(words[2] & RECEIVED_LENGTH);
        packet->flags = flags_of(words);
        self->queue.received++;
        self->queue.received_bytes += packet->length;
        *tail = packet;
        tail = &packet->next;
    }
    if (batch)
        stack->input(&self->queue, batch);
    // After the stack: the buffers that it gave back at once are the ones in the cache.
    if (receive->count - 1 - receive->given >= FILL_MIN && !self->broken)
        bm_vmxnet3_fill(self);
    return count != 0;
}

__attribute__((cold)) bool bm_vmxnet3_receive_abandon(struct vmxnet3 *self)
{
    struct vmxnet3_receive *receive = &self->receive;
    bool any = receive->given;
    for (; receive->given; receive->given--)
        bm_packet_free(receive->packets[receive->next++ & (receive->count - 1)]);
    return any;
}

__attribute__((cold)) void bm_vmxnet3_receive_reset(struct vmxnet3 *self)
{
    struct vmxnet3_receive *receive = &self->receive;
    bm_vmxnet3_receive_abandon(self);
    __builtin_memset(receive->ring, 0, receive->count * sizeof *receive->ring);
    __builtin_memset(receive->bodies, 0, BODIES_COUNT * sizeof *receive->bodies);
    bm_vmxnet3_completions_reset(&receive->completions);
    receive->next = 0;
}
