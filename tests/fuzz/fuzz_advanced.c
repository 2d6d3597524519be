// Fuzzer of the drivers of Intel's controllers with advanced descriptors: a device that writes anything into
// its rings and registers while frames come and go, ordinary and jumbo, with messages and with a line.
// SPDX-License-Identifier: MIT
// @sources drivers/net/advanced/advanced.c drivers/net/advanced/advanced_receive.c
// @sources drivers/net/advanced/advanced_send.c drivers/net/advanced/advanced_poll.c
// @sources drivers/net/igb/igb.c drivers/net/igb/igb_phy.c drivers/net/ixgbe/ixgbe.c
// @sources libbaremetal/device/netdev_mtu.c libbaremetal/device/packet.c tests/unit/virtio_net/machine.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
// @sources tests/unit/advanced/card.c tests/unit/advanced/card_igb.c tests/unit/advanced/card_ixgbe.c
// @libraries cmocka
// @max_len 1024
// @seconds 5
#include "../unit/advanced/card.h"
#include "../unit/virtio_net/machine.h"
#include "nic_stack.h"

#include <baremetal/error.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct bm_driver bm_driver_igb, bm_driver_ixgbe;

static struct advanced *self;
static unsigned filled; // the descriptor that the device fills next

// The device's bytes go anywhere into the rings, and into registers that the driver reads.
static void scribble(uint8_t where, uint8_t place, uint8_t value)
{
    // STATUS, CTRL and CTRL_EXT of both; MPC and LINKS
    static const unsigned offsets[] = {0x8, 0, 0x18, 0x4010, 0x3fa0, 0x42a4};
    size_t at = place + (where >> 3) * 256u;
    switch (where & 7) {
    case 0:
    case 1:
    case 2:
        ((uint8_t *)
             self->receive.descriptors)[at % (self->receive.count * sizeof *self->receive.descriptors)] =
            value;
        break;
    case 3:
    case 4:
        ((uint8_t *)self->send.descriptors)[at % (SEND_COUNT * sizeof *self->send.descriptors)] = value;
        break;
    case 5:
        card.causes = value * 0x01010101u;
        break;
    default:
        card.registers[offsets[place % 6] / 4] = value * 0x01010101u;
    }
}

// A descriptor as the device writes it back, with any status and length.
static void receives(uint8_t descriptor_status, uint8_t wrong, uint16_t length)
{
    struct advanced_descriptor *descriptor = &self->receive.descriptors[filled++ % self->receive.count];
    descriptor->high = length;
    descriptor->low = descriptor_status | (uint32_t)wrong << 24 | RECEIVED_DONE;
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
        receives(bytes[1], bytes[3], bytes[2] == 0xff ? 1024 : (uint16_t)(bytes[2] * 30 + bytes[3]));
        break;
    case 5:
        self->send.descriptors[bytes[1]].high |= SENT_DONE;
        break;
    case 6:
        self->queue.poller.arm(self->queue.poller.arg);
        card_interrupts(bytes[1] & 1);
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
    card.kind = kind & 8 ? &card_ixgbe : &card_igb;
    if (!(kind & 1)) // else it has no link
        card.kind->power_on();
    card.mtu_words = kind & 2 ? words : NULL;
    card.has_line = kind & 4;
    card.messages = kind & 4 ? 0 : 25;
    struct bm_pci_device pci = {.device = {.device = card.kind->device}};
    const struct bm_driver *driver = kind & 8 ? &bm_driver_ixgbe : &bm_driver_igb;
    if (driver->attach(&pci.device))
        abort();
    self = pci.device.state;
    joins = true;
    frame_max = self->family->mtu_max + (unsigned)ETHERNET;
    stack_start(&self->netdev, &self->queue);
    unsigned char *memory = bm_frame_allocate(6);
    for (size_t i = 1; i + 4 <= size; i += 4)
        step(memory, data + i);
    bm_advanced_fail(self, "test");
    stack_end();
    if (self->receive.given)
        abort();
    return 0;
}
