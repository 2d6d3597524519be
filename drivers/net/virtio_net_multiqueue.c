// The virtio network device with several pairs of queues, each for a core of its own.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -netdev tap,id=n,queues=4 -device virtio-net-pci,netdev=n,mq=on,vectors=10
//
// Linked only with baremetal::virtio_net_multiqueue. Section numbers are those of the VIRTIO specification,
// version 1.2.
#include "virtio_net.h"

#include <baremetal/error.h>
#include <baremetal/time.h>
#include <stddef.h>

int bm_virtio_net_pairs_prepare(struct virtio_net *self)
{
    return bm_virtqueue_create(&self->control, self->device, 2 * self->pairs_offered, CONTROL_SIZE);
}

// Has the device use all pairs; it uses one until then (section 5.1.6.5.6).
int bm_virtio_net_pairs_use(struct virtio_net *self, unsigned count)
{
    enum { CLASS_MQ = 4, ANSWER_TIME_MAX = 1000 * 1000 * 1000 }; // ns
    struct virtio_net_command *command = &self->command;
    uint64_t address = bm_dma_address(command), end = bm_time_monotonic() + ANSWER_TIME_MAX;
    const struct bm_dma_segment segments[] = {
        {address, 2},
        {address + offsetof(struct virtio_net_command, pairs), 2},
        {address + offsetof(struct virtio_net_command, answer), 1},
    };
    struct bm_virtqueue_done done;
    *command = (struct virtio_net_command){.class = CLASS_MQ, .pairs = (uint16_t)count, .answer = UINT8_MAX};
    if (bm_virtqueue_add(&self->control, segments, 2, 1, command))
        return -BM_EIO; // the device's control queue is too small for a command
    bm_virtqueue_kick(&self->control);
    while (!bm_virtqueue_take(&self->control, &done, 1))
        if (bm_time_monotonic() > end || self->device->broken)
            return -BM_EIO;
    return command->answer ? -BM_EIO : 0;
}

// The first pair's core is told of changes of the configuration, too.
int bm_virtio_net_aim(struct bm_netqueue *queue, unsigned core)
{
    struct virtio_net_pair *pair = (struct virtio_net_pair *)queue;
    struct bm_virtio_device *device = pair->receive.device;
    unsigned count = queue->device->queue_count;
    if (count > 1 && device->interrupts && device->interrupts < 1 + 2 * count)
        return -BM_ENODEV; // it shares its interrupts with other pairs
    int error = bm_virtqueue_core_set(&pair->receive, core);
    if (!error)
        error = bm_virtqueue_core_set(&pair->transmit, core);
    if (!error && queue->number == 0)
        error = bm_virtio_config_core_set(device, core);
    return error;
}
