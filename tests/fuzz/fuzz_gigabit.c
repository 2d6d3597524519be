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
#include "nic_stack.h"

#include <baremetal/error.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct bm_driver bm_driver_e1000, bm_driver_e1000e;

static struct gigabit *self;
static unsigned filled; // the descriptor that the device fills next

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
    filled = 0;
    card.registers[STATUS / 4] = kind & 1 ? 0 : STATUS_LINK;
    card.has_line = true;
    card.mtu_words = kind & 2 ? words : NULL;
    const struct bm_driver *driver = kind & 4 ? &bm_driver_e1000e : &bm_driver_e1000;
    struct bm_pci_device pci = {.device = {.device = kind & 4 ? 0x10d3 : 0x100e}};
    if (driver->attach(&pci.device))
        abort();
    self = pci.device.state;
    joins = true;
    frame_max = self->chip->mtu_max + (unsigned)ETHERNET;
    stack_start(&self->netdev, &self->queue);
    unsigned char *memory = bm_frame_allocate(6);
    for (size_t i = 1; i + 4 <= size; i += 4)
        step(memory, data + i);
    bm_gigabit_fail(self, "test");
    stack_end();
    if (self->receive.given)
        abort();
    return 0;
}
