// Virtio devices that are reset while they are in use, for drivers that can go on behind it.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of the VIRTIO specification, version 1.2.
#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/virtio.h>

int bm_virtio_restart(struct bm_virtio_device *device)
{
    uint64_t features = device->features, offered;
    int error = bm_virtio_begin(device, &offered);
    if (!error)
        error = bm_virtio_negotiate(device, features);
    if (!error && device->features != features)
        error = -BM_EIO; // it is another device now
    if (!error && device->interrupts && !device->line)
        error = device->transport->config_interrupt(device, 0);
    return error;
}

int bm_virtqueue_restart(struct bm_virtqueue *queue)
{
    BM_ASSERT_NO_HANDLER();
    queue->available->index = 0;
    queue->used->flags = queue->used->index = 0;
    queue->available_index = queue->notified_index = queue->used_index = 0;
    queue->free_first = 0;
    queue->free_count = queue->size;
    for (unsigned i = 0; i < queue->size; i++)
        queue->entries[i] = (struct bm_virtqueue_entry){.next = (uint16_t)(i + 1)};
    bm_virtqueue_disarm(queue);
    return queue->device->transport->queue_enable(queue->device, queue, queue->interrupt);
}
