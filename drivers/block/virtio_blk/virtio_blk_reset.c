// A virtio block device that does not answer, or says that it needs a reset: once more from the start.
// SPDX-License-Identifier: MIT
#include "virtio_blk.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

bool bm_virtio_blk_check(struct virtio_blk_queue *self)
{
    uint64_t now = bm_time_monotonic();
    if (now < self->check)
        return false;
    bool late = false;
    bm_spinlock_acquire(&self->lock);
    self->check = now + VIRTIO_BLK_CHECK;
    self->tick++;
    for (unsigned i = 0; i < self->queue.depth && self->live; i++) {
        const struct virtio_blk_slot *slot = &self->slots[i];
        late |= slot->request && !slot->over && (uint8_t)(self->tick - slot->tick) >= VIRTIO_BLK_AGE_MAX;
    }
    bm_spinlock_release(&self->lock);
    if (!late || self->blk->device->broken)
        return false;
    bm_log_warn(self->blk->blockdev.name, "has not answered for some seconds: it is reset");
    atomic_store(&self->blk->reset_wanted, true);
    return true;
}

// What was sent as often as it may be fails; the rest is sent in any order, as the contract allows. Under the
// lock.
static void requests_send(struct virtio_blk_queue *self)
{
    for (unsigned i = 0; i < self->queue.depth; i++) {
        struct virtio_blk_slot *slot = &self->slots[i];
        if (!slot->request || slot->over)
            continue;
        if (slot->attempts == VIRTIO_BLK_ATTEMPTS_MAX || !bm_virtio_blk_request_send(self, slot))
            slot->over = self->failing = true;
    }
}

static void queues_live(struct virtio_blk *self, bool live)
{
    for (unsigned i = 0; i < self->queue_count; i++) {
        struct virtio_blk_queue *queue = &self->queues[i];
        bm_spinlock_acquire(&queue->lock);
        queue->live = live;
        bm_spinlock_release(&queue->lock);
    }
}

void bm_virtio_blk_reset(struct virtio_blk *self)
{
    queues_live(self, false);
    int error = bm_virtio_restart(self->device);
    for (unsigned i = 0; i < self->queue_count && !error; i++) {
        struct virtio_blk_queue *queue = &self->queues[i];
        bm_spinlock_acquire(&queue->lock);
        error = bm_virtqueue_restart(&queue->requests);
        if (!error)
            requests_send(queue);
        bm_spinlock_release(&queue->lock);
    }
    if (error)
        bm_virtio_fail(self->device, "does not come back from its reset");
    else
        bm_virtio_ready(self->device);
    atomic_store(&self->reset_wanted, false);
    queues_live(self, true);
    for (unsigned i = 0; i < self->queue_count && !error; i++)
        bm_virtio_blk_ops.kick(&self->queues[i].queue);
}

// A device that could not be silenced may still write: what it has is not given back.
bool bm_virtio_blk_give_up(struct virtio_blk_queue *self)
{
    struct bm_block_request *over[VIRTIO_BLK_BATCH];
    const struct bm_virtio_device *device = self->blk->device;
    unsigned count = 0, i;
    bm_spinlock_acquire(&self->lock);
    bool all = device->broken && device->silent;
    if (device->broken)
        self->blk->blockdev.removed = true;
    for (i = 0; i < self->queue.depth && count < VIRTIO_BLK_BATCH; i++) {
        struct virtio_blk_slot *slot = &self->slots[i];
        if (!slot->request || (!slot->over && !all))
            continue;
        over[count++] = slot->request;
        bm_virtio_blk_slot_free(self, slot);
    }
    if (i == self->queue.depth)
        self->failing = false;
    bm_spinlock_release(&self->lock);
    for (i = 0; i < count; i++)
        bm_block_done(&self->queue, over[i], -BM_EIO);
    return count;
}
