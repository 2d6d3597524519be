// baremetal::virtio_packed: queues are packed where driver and device can do it, and split elsewhere.
// SPDX-License-Identifier: MIT
//
// The linker leads the calls of the functions of <baremetal/virtio.h> here (its option --wrap), and those of
// the drivers below to their second copies, which know both kinds of queue (virtqueue_both.h).
#include "virtqueue_packed.h"

int __real_bm_virtio_negotiate(struct bm_virtio_device *device, uint64_t wanted);
int __wrap_bm_virtio_negotiate(struct bm_virtio_device *device, uint64_t wanted);
int __real_bm_virtqueue_create(struct bm_virtqueue *queue, struct bm_virtio_device *device, unsigned number,
                               unsigned max);
int __wrap_bm_virtqueue_create(struct bm_virtqueue *queue, struct bm_virtio_device *device, unsigned number,
                               unsigned max);
int __real_bm_virtqueue_restart(struct bm_virtqueue *queue);
int __wrap_bm_virtqueue_restart(struct bm_virtqueue *queue);
int __real_bm_virtqueue_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments,
                            unsigned readable, unsigned writable, void *cookie);
int __wrap_bm_virtqueue_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments,
                            unsigned readable, unsigned writable, void *cookie);
void __real_bm_virtqueue_kick(struct bm_virtqueue *queue);
void __wrap_bm_virtqueue_kick(struct bm_virtqueue *queue);
unsigned __real_bm_virtqueue_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max);
unsigned __wrap_bm_virtqueue_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max);
bool __real_bm_virtqueue_arm(struct bm_virtqueue *queue, unsigned chains);
bool __wrap_bm_virtqueue_arm(struct bm_virtqueue *queue, unsigned chains);
void __real_bm_virtqueue_disarm(struct bm_virtqueue *queue);
void __wrap_bm_virtqueue_disarm(struct bm_virtqueue *queue);
void *__real_bm_virtqueue_abandon(struct bm_virtqueue *queue);
void *__wrap_bm_virtqueue_abandon(struct bm_virtqueue *queue);

// Devices whose drivers have such copies.
static bool knows_packed(const struct bm_virtio_device *device)
{
    unsigned type = device->device.device;
    return !device->legacy && (type == BM_VIRTIO_NET || type == BM_VIRTIO_BLOCK);
}

int __wrap_bm_virtio_negotiate(struct bm_virtio_device *device, uint64_t wanted)
{
    return __real_bm_virtio_negotiate(device, wanted | (knows_packed(device) ? BM_VIRTIO_F_RING_PACKED : 0));
}

int __wrap_bm_virtqueue_create(struct bm_virtqueue *queue, struct bm_virtio_device *device, unsigned number,
                               unsigned max)
{
    return device->features & BM_VIRTIO_F_RING_PACKED
               ? bm_virtqueue_packed_create(queue, device, number, max)
               : __real_bm_virtqueue_create(queue, device, number, max);
}

int __wrap_bm_virtqueue_restart(struct bm_virtqueue *queue)
{
    return queue->packed ? bm_virtqueue_packed_restart(queue) : __real_bm_virtqueue_restart(queue);
}

int __wrap_bm_virtqueue_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments,
                            unsigned readable, unsigned writable, void *cookie)
{
    return queue->packed ? bm_virtqueue_packed_add(queue, segments, readable, writable, cookie)
                         : __real_bm_virtqueue_add(queue, segments, readable, writable, cookie);
}

void __wrap_bm_virtqueue_kick(struct bm_virtqueue *queue)
{
    if (queue->packed)
        bm_virtqueue_packed_kick(queue);
    else
        __real_bm_virtqueue_kick(queue);
}

unsigned __wrap_bm_virtqueue_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max)
{
    return queue->packed ? bm_virtqueue_packed_take(queue, done, max)
                         : __real_bm_virtqueue_take(queue, done, max);
}

bool __wrap_bm_virtqueue_arm(struct bm_virtqueue *queue, unsigned chains)
{
    return queue->packed ? bm_virtqueue_packed_arm(queue, chains) : __real_bm_virtqueue_arm(queue, chains);
}

void __wrap_bm_virtqueue_disarm(struct bm_virtqueue *queue)
{
    if (queue->packed)
        bm_virtqueue_packed_disarm(queue);
    else
        __real_bm_virtqueue_disarm(queue);
}

void *__wrap_bm_virtqueue_abandon(struct bm_virtqueue *queue)
{
    return queue->packed ? bm_virtqueue_packed_abandon(queue) : __real_bm_virtqueue_abandon(queue);
}
