// QEMU's virtio-net with four pairs of queues on four cores: each flow goes out by one pair and, since the
// host's tap remembers it, comes back by the same one; each pair is touched by its own core alone.
// SPDX-License-Identifier: MIT
// @link virtio_net_multiqueue
// @script net_pairs.py
// @variants newlib-checked
#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/netdev.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/work.h>
#include <stdatomic.h>

#include "check.h"

enum { PAIRS = 4, FRAMES = 500, PAYLOAD = 200, FIRST_PORT = 5000, ECHO_PORT = 7000, WINDOW = 16 };

// A frame of Ethernet, IPv4 (RFC 791) and UDP (RFC 768, without a checksum).
struct datagram {
    uint8_t to[6], from[6];
    uint8_t ethertype[2];
    uint8_t version, service, length[2], identification[2], fragment[2], lifetime, protocol, checksum[2];
    uint8_t source[4], destination[4];
    uint8_t source_port[2], destination_port[2], udp_length[2], udp_checksum[2];
    uint8_t number[4], rest[PAYLOAD - 4];
};

struct pair {
    struct bm_netqueue *queue;
    struct buffer {
        unsigned char headroom[BM_NETDEV_HEADROOM];
        struct datagram frame;
        bool out;
    } buffers[WINDOW];
    unsigned sent, strange; // frames of others, or calls on another core
    uint64_t early;         // frames of the host that came before there was a stack
    atomic_uint received;
    uint32_t seen[FRAMES];
};

static struct pair pairs[PAIRS];

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *from)
{
    return (unsigned)from[0] << 8 | from[1];
}

// RFC 1071.
static unsigned header_checksum(const struct datagram *frame)
{
    unsigned sum = 0;
    for (const uint8_t *at = &frame->version; at < frame->source_port; at += 2)
        sum += get16(at);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16)) & 0xffff;
}

static void fill_in(struct datagram *frame, const struct pair *pair)
{
    *frame = (struct datagram){.to = {0x52, 0x54, 0, 0, 0, 1},
                               .ethertype = {8, 0},
                               .version = 0x45,
                               .lifetime = 64,
                               .protocol = 17,
                               .source = {10, 7, 0, 2},
                               .destination = {10, 7, 0, 1}};
    memcpy(frame->from, pair->queue->device->mac, 6);
    put16(frame->length, 28 + PAYLOAD);
    put16(frame->checksum, header_checksum(frame));
    put16(frame->source_port, FIRST_PORT + pair->queue->number);
    put16(frame->destination_port, ECHO_PORT);
    put16(frame->udp_length, 8 + PAYLOAD);
    memcpy(frame->number, &pair->sent, 4);
}

// What the host sends of its own accord (neighbour discovery) is passed over.
static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    struct pair *self = queue->stack_state;
    self->strange += bm_core_id() != queue->number;
    while (batch) {
        struct bm_packet *next = batch->next;
        const struct datagram *frame = (const void *)batch->data;
        if (batch->length >= sizeof *frame && get16(frame->ethertype) == 0x800 && frame->protocol == 17 &&
            get16(frame->source_port) == ECHO_PORT) {
            uint32_t number;
            memcpy(&number, frame->number, 4);
            if (get16(frame->destination_port) != FIRST_PORT + queue->number || number >= FRAMES)
                self->strange++;
            else if (!self->seen[number]++)
                atomic_fetch_add(&self->received, 1);
        }
        bm_packet_free(batch);
        batch = next;
    }
}

static void sent(struct bm_netqueue *queue, void *cookie)
{
    ((struct pair *)queue->stack_state)->strange += bm_core_id() != queue->number;
    ((struct buffer *)cookie)->out = false;
}

static void link_changed(struct bm_netqueue *queue)
{
    (void)queue;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = sent, .link_changed = link_changed};

static bool send_one(struct pair *self)
{
    struct buffer *buffer = &self->buffers[self->sent % WINDOW];
    // As many under way as the host's socket holds for all four.
    if (buffer->out || self->sent == FRAMES || self->sent - atomic_load(&self->received) >= WINDOW)
        return false;
    fill_in(&buffer->frame, self);
    const struct bm_netdev_segment segment = {&buffer->frame, sizeof buffer->frame};
    buffer->out = true;
    int error = self->queue->ops->send(self->queue, &(struct bm_netdev_frame){&segment, 1, .cookie = buffer});
    CHECK(error == 0 || error == -BM_EAGAIN);
    buffer->out = error == 0;
    self->sent += error == 0;
    return error == 0;
}

static bool all_back(void *arg)
{
    struct pair *self = arg;
    while (send_one(self))
        ;
    self->queue->ops->flush(self->queue);
    return atomic_load(&self->received) == FRAMES;
}

// On the pair's core, which halts between answers: the pair's own interrupt wakes it.
static void exchange(void *arg)
{
    struct pair *self = arg;
    CHECK(bm_core_id() == self->queue->number);
    self->early = self->queue->receive_dropped;
    CHECK(bm_netqueue_take(self->queue, &stack, self) == 0);
    CHECK(bm_wait_until(all_back, self, bm_time_monotonic() + 120 * 1000000000ull));
}

static void nothing(void *arg)
{
    (void)arg;
}

// A core that served a queue before it was bound may still be inside it: not any more when it has done an
// item.
static void end_rounds(struct bm_work *work)
{
    for (unsigned i = 1; i < PAIRS; i++) {
        bm_work_init(&work[i], nothing, NULL);
        bm_work_submit_on(i, &work[i]);
    }
    for (unsigned i = 1; i < PAIRS; i++)
        bm_work_wait(&work[i]);
}

int main(void)
{
    struct bm_netdev *device = bm_netdev_first();
    struct bm_work work[PAIRS];
    CHECK(device && bm_core_count() == PAIRS && bm_netdev_start(device, PAIRS) == PAIRS);
    for (unsigned i = 0; i < PAIRS; i++) {
        pairs[i].queue = bm_netdev_queue(device, i);
        CHECK(bm_netqueue_bind(pairs[i].queue, i) == 0);
    }
    end_rounds(work);
    puts("ready");
    for (unsigned i = 1; i < PAIRS; i++) {
        bm_work_init(&work[i], exchange, &pairs[i]);
        bm_work_submit_on(i, &work[i]);
    }
    exchange(&pairs[0]);
    for (unsigned i = 1; i < PAIRS; i++)
        bm_work_wait(&work[i]);
    for (unsigned i = 0; i < PAIRS; i++) {
        const struct bm_netqueue *queue = pairs[i].queue;
        CHECK(queue->transmitted == FRAMES && queue->received >= FRAMES &&
              queue->receive_dropped == pairs[i].early);
        printf("pair %u: %u of %u came back, %u strange\n", i, atomic_load(&pairs[i].received), pairs[i].sent,
               pairs[i].strange);
        CHECK(pairs[i].strange == 0);
    }
    return passed();
}
