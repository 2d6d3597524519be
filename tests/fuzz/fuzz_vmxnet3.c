// Fuzzer of the driver of vmxnet3: a device that writes anything into the rings and the shared memory while
// frames come and go.
// SPDX-License-Identifier: MIT
// @sources drivers/net/vmxnet3/vmxnet3.c drivers/net/vmxnet3/vmxnet3_receive.c
// @sources drivers/net/vmxnet3/vmxnet3_send.c drivers/net/vmxnet3/vmxnet3_poll.c
// @sources libbaremetal/device/packet.c tests/unit/vmxnet3/card.c tests/unit/virtio_net/machine.c
// @sources libbaremetal/device/netdev_mtu.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
// @libraries cmocka
// @max_len 1024
#include "../unit/vmxnet3/card.h"

#include "../unit/virtio_net/machine.h"
#include "nic_stack.h"

#include <baremetal/error.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct bm_driver bm_driver_vmxnet3;

static struct vmxnet3 *self;

// The device's bytes go anywhere into what it may write: completions, events, what it says of the queues.
static void scribble(uint8_t where, uint8_t place, uint8_t value)
{
    struct vmxnet3_completion *completions =
        where & 1 ? self->receive.completions.entries : self->send.completions.entries;
    switch (where >> 1 & 3) {
    case 0:
    case 1:
        ((uint8_t *)completions)[place + (where & 2 ? 256 : 0)] = value;
        break;
    case 2:
        self->shared->events = value;
        break;
    default:
        self->queues->receive.door_wanted = value;
        self->queues->send.stopped = value;
    }
}

static void receives(unsigned length, uint32_t word3, uint8_t shape)
{
    uint32_t end = shape & 1 ? 0 : RECEIVED_END;
    if (shape & 2)
        card_goes_on(length, end, word3);
    else
        card_receives(length, RECEIVED_START | end, 0, word3);
}

static void step(unsigned char *memory, const uint8_t *bytes)
{
    struct vmxnet3_descriptor first;
    unsigned count;
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
        if (!self->broken)
            scribble(bytes[1], bytes[2], bytes[3]);
        break;
    case 4: // as it should, or a piece; 0xff: a full buffer
        if (!self->broken)
            receives(bytes[1] == 0xff ? FRAME_ROOM : bytes[1] * 6u, (uint32_t)bytes[2] << 16 & 0x7fffffff,
                     bytes[3]);
        break;
    case 5:
        if (!self->broken && card_sends(NULL, &first, &count))
            card_sent();
        break;
    case 6:
        self->queue.poller.arm(self->queue.poller.arg);
        card.handler(card.handler_arg);
        break;
    default:
        release(bytes[1]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"9000", NULL};
    static unsigned char *memory;
    if (!frames)
        frames = aligned_alloc(BM_PAGE_SIZE * 256, FRAMES * BM_PAGE_SIZE);
    memory_total = 64 << 20;
    machine_reset();
    card_reset();
    if (size && data[0] & 1)
        card.link = 0;
    joins = size && data[0] & 2;
    card.mtu_words = joins ? words : NULL;
    if (bm_driver_vmxnet3.attach(&card_pci.device))
        abort();
    self = card_pci.device.state;
    frame_max = (unsigned)ETHERNET + (joins ? (unsigned)MTU_MAX : (unsigned)MTU_DEFAULT);
    stack_start(&self->netdev, &self->queue);
    memory = bm_frame_allocate(6);
    for (size_t i = 1; i + 4 <= size; i += 4)
        step(memory, data + i);
    bm_vmxnet3_fail(self, "test");
    stack_end();
    if (self->receive.heads.given || self->receive.bodies.given)
        abort();
    return 0;
}
