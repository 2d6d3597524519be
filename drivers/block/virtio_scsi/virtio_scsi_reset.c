// A virtio SCSI host that does not answer, or says that it needs a reset: once more from the start.
// SPDX-License-Identifier: MIT
#include "virtio_scsi.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

bool bm_virtio_scsi_check(struct virtio_scsi_queue *self)
{
    uint64_t now = bm_time_monotonic();
    if (now < self->check)
        return false;
    bool late = false;
    bm_spinlock_acquire(&self->lock);
    self->check = now + VIRTIO_SCSI_CHECK;
    self->tick++;
    for (unsigned i = 0; i < self->depth && self->live; i++) {
        const struct virtio_scsi_slot *slot = &self->slots[i];
        late |= slot->request && !slot->over && (uint8_t)(self->tick - slot->tick) >= VIRTIO_SCSI_AGE_MAX;
    }
    bm_spinlock_release(&self->lock);
    if (!late || self->scsi->device->broken)
        return false;
    bm_log_warn(self->scsi->device->device.name, "has not answered for some seconds: it is reset");
    atomic_store(&self->scsi->reset_wanted, true);
    return true;
}

// What was sent as often as it may be fails; the rest is sent in any order, as the contract allows. Under the
// lock.
static void requests_send(struct virtio_scsi_queue *self)
{
    for (unsigned i = 0; i < self->depth; i++) {
        struct virtio_scsi_slot *slot = &self->slots[i];
        if (!slot->request || slot->over)
            continue;
        if (slot->attempts == VIRTIO_SCSI_ATTEMPTS_MAX || !bm_virtio_scsi_request_send(self, slot))
            slot->over = self->failing = true;
    }
}

static void queues_live(struct virtio_scsi *self, bool live)
{
    for (unsigned i = 0; i < self->queue_count; i++) {
        struct virtio_scsi_queue *queue = &self->queues[i];
        bm_spinlock_acquire(&queue->lock);
        queue->live = live;
        if (live && !self->device->broken)
            bm_virtqueue_kick(&queue->requests);
        bm_spinlock_release(&queue->lock);
    }
}

void bm_virtio_scsi_reset(struct virtio_scsi *self)
{
    queues_live(self, false);
    int error = bm_virtio_restart(self->device);
    for (unsigned i = 0; i < self->queue_count && !error; i++) {
        struct virtio_scsi_queue *queue = &self->queues[i];
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
}

// A host that could not be silenced may still write: what it has is not given back.
bool bm_virtio_scsi_give_up(struct virtio_scsi_queue *self)
{
    struct {
        struct virtio_scsi_disk *disk;
        struct bm_block_request *request;
    } over[VIRTIO_SCSI_BATCH];
    const struct bm_virtio_device *device = self->scsi->device;
    unsigned count = 0, i;
    bm_spinlock_acquire(&self->lock);
    bool all = device->broken && device->silent;
    for (i = 0; i < self->scsi->disk_count && device->broken; i++)
        self->scsi->disks[i]->blockdev.removed = true;
    for (i = 0; i < self->depth && count < VIRTIO_SCSI_BATCH; i++) {
        struct virtio_scsi_slot *slot = &self->slots[i];
        if (!slot->request || (!slot->over && !all))
            continue;
        over[count].disk = slot->disk;
        over[count++].request = slot->request;
        bm_virtio_scsi_slot_free(self, slot);
    }
    if (i == self->depth)
        self->failing = false;
    bm_spinlock_release(&self->lock);
    for (i = 0; i < count; i++)
        bm_block_done(&over[i].disk->queue, over[i].request, -BM_EIO);
    return count;
}
