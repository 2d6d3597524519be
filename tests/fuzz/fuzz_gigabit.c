// Fuzzer of the drivers of Intel's gigabit controllers: a device that writes anything into its rings and
// registers while frames come and go, ordinary and jumbo, with both formats of descriptors.
// SPDX-License-Identifier: MIT
// @sources drivers/net/gigabit/gigabit.c drivers/net/gigabit/gigabit_receive.c
// @sources drivers/net/gigabit/gigabit_send.c drivers/net/gigabit/gigabit_poll.c
// @sources drivers/net/gigabit/gigabit_sum.c libbaremetal/device/netdev_mtu.c
// @sources drivers/net/e1000/e1000.c drivers/net/e1000e/e1000e.c libbaremetal/device/packet.c
// @sources tests/unit/gigabit/card.c tests/unit/virtio_net/machine.c drivers/virtio/virtio.c
// @sources drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
// @libraries cmocka
// @max_len 1024
#include "../unit/gigabit/card.h"

#include "../unit/virtio_net/machine.h"

#include <baremetal/error.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct bm_driver bm_driver_e1000, bm_driver_e1000e;

enum { PACKETS_MAX = 64, COOKIES = 64 };
static struct gigabit *self;
static struct bm_packet *held;      // by the stack
static unsigned held_count, filled; // filled: the descriptor that the device fills next
static bool out[COOKIES];           // frames that are under way

static void release(unsigned count)
{
    for (; held && count--; held_count--) {
        struct bm_packet *next = held->next;
        bm_packet_free(held);
        held = next;
    }
}

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    bool more = false;
    unsigned length = 0;
    (void)queue;
    while (batch) {
        struct bm_packet *next = batch->next;
        volatile unsigned char last = batch->data[batch->length - 1]; // all of it is there
        (void)last;
        length = batch->length + (more ? length : 0);
        more = batch->flags & BM_PACKET_MORE;
        if (!batch->length || batch->length > FRAME_ROOM || (more && !next) ||
            (!more && length < FRAME_MIN) || length > self->chip->mtu_max + (unsigned)ETHERNET)
            abort();
        for (const struct bm_packet *other = held; other; other = other->next)
            if (other == batch)
                abort(); // the stack has it
        batch->next = held;
        held = batch;
        held_count++;
        batch = next;
    }
    if (held_count > PACKETS_MAX)
        release(PACKETS_MAX / 2);
}

static void on_sent(struct bm_netqueue *queue, void *cookie)
{
    (void)queue;
    bool *entry = cookie;
    if (entry < out || entry >= out + COOKIES || !*entry)
        abort();
    *entry = false;
}

static void link_changed(struct bm_netqueue *queue)
{
    (void)queue;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = on_sent, .link_changed = link_changed};

static void send(unsigned char *memory, uint8_t shape, uint8_t length)
{
    struct bm_netdev_segment segments[BM_NETDEV_SEGMENTS_MAX];
    unsigned cookie = 0, count = 1 + shape % BM_NETDEV_SEGMENTS_MAX;
    while (cookie < COOKIES && out[cookie])
        cookie++;
    if (cookie == COOKIES)
        return;
    for (unsigned i = 0; i < count; i++)
        segments[i] = (struct bm_netdev_segment){memory + 1500 * i, length * (i ? 6u : 1u)};
    struct bm_netdev_frame frame = {.segments = segments, .segment_count = count, .cookie = &out[cookie]};
    if (shape & 0x80) {
        frame.checksum_start = 34;
        frame.checksum_offset = 16;
    }
    if (shape & 0x40) {
        frame.gso_type = BM_NETDEV_GSO_TCP4;
        frame.gso_size = 1000;
        frame.header_length = 54;
    }
    out[cookie] = true;
    if (self->queue.ops->send(&self->queue, &frame))
        out[cookie] = false;
}

// The device's bytes go anywhere into the rings, and into registers that the driver reads.
static void scribble(uint8_t where, uint8_t place, uint8_t value)
{
    static const unsigned offsets[] = {STATUS, ICR, CTRL, CTRL_EXT};
    switch (where & 3) {
    case 0:
    case 1:
        ((uint8_t *)self->receive.descriptors)[(place + (where >> 2) * 256u) %
                                               (self->receive.count * sizeof *self->receive.descriptors)] =
            value;
        break;
    case 2:
        ((uint8_t *)self->send
             .descriptors)[(place + (where >> 2) * 256u) % (SEND_COUNT * sizeof *self->send.descriptors)] =
            value;
        break;
    default:
        card.registers[offsets[place % 4] / 4] = value * 0x01010101u;
    }
}

// A descriptor as the device writes it back, with any status and length.
static void receives(uint8_t descriptor_status, uint16_t length)
{
    struct gigabit_descriptor *descriptor = &self->receive.descriptors[filled++ % self->receive.count];
    uint32_t word = descriptor_status | RECEIVED_DONE;
    descriptor->low = self->chip->express ? word : length;
    descriptor->high = self->chip->express ? length : word;
}

static void step(unsigned char *memory, const uint8_t *bytes)
{
    switch (bytes[0] % 8) {
    case 0:
        send(memory, bytes[1], bytes[2]);
        break;
    case 1:
        self->queue.ops->flush(&self->queue);
        break;
    case 2:
        self->queue.poller.poll(self->queue.poller.arg);
        break;
    case 3:
        scribble(bytes[1], bytes[2], bytes[3]);
        break;
    case 4: // 0xff: a full buffer
        receives(bytes[1], bytes[2] == 0xff ? 1024 : (uint16_t)(bytes[2] * 30 + bytes[3]));
        break;
    case 5:
        self->send.descriptors[bytes[1]].high |= SENT_DONE;
        break;
    case 6:
        self->queue.poller.arm(self->queue.poller.arg);
        card.line_handler(card.line_arg);
        break;
    default:
        release(bytes[1]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"9000", NULL};
    uint8_t kind = size ? data[0] : 0;
    if (!frames)
        frames = aligned_alloc(BM_PAGE_SIZE * 256, FRAMES * BM_PAGE_SIZE);
    memory_total = 64 << 20;
    machine_reset();
    memset(&card, 0, sizeof card);
    memset(out, 0, sizeof out);
    filled = 0;
    card.registers[STATUS / 4] = kind & 1 ? 0 : STATUS_LINK;
    card.has_line = true;
    card.mtu_words = kind & 2 ? words : NULL;
    const struct bm_driver *driver = kind & 4 ? &bm_driver_e1000e : &bm_driver_e1000;
    struct bm_pci_device pci = {.device = {.device = kind & 4 ? 0x10d3 : 0x100e}};
    if (driver->attach(&pci.device))
        abort();
    self = pci.device.state;
    if (bm_netdev_start(&self->netdev, 1) != 1 || bm_netqueue_take(&self->queue, &stack, NULL))
        abort();
    unsigned char *memory = bm_frame_allocate(6);
    for (size_t i = 1; i + 4 <= size; i += 4)
        step(memory, data + i);
    bm_gigabit_fail(self, "test");
    while (self->queue.poller.poll(self->queue.poller.arg))
        ;
    release(held_count);
    for (unsigned i = 0; i < COOKIES; i++)
        if (out[i])
            abort(); // a frame that never comes back
    if (self->receive.given)
        abort();
    return 0;
}
