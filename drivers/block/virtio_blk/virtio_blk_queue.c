// The path of every request: into a queue of the virtio block device, and back with its answer.
// SPDX-License-Identifier: MIT
#include "virtio_blk.h"

#include <baremetal/error.h>
#include <baremetal/time.h>

static struct virtio_blk_queue *queue_of(struct bm_blockqueue *queue)
{
    return (struct virtio_blk_queue *)queue;
}

static bool slot_put(struct virtio_blk_queue *self, struct bm_virtqueue_chain *chain,
                     const struct virtio_blk_slot *slot, size_t offset, uint32_t length, uint16_t flags)
{
    uint64_t address = self->slots_address + (uint64_t)(slot - self->slots) * sizeof *slot + offset;
    return bm_virtqueue_chain_put(&self->requests, chain, address, length, flags);
}

bool bm_virtio_blk_send(struct virtio_blk_queue *self, struct virtio_blk_slot *slot, uint32_t type,
                        uint64_t sector, const struct bm_dma_segment *segments, unsigned count)
{
    struct bm_virtqueue_chain chain;
    bool has_range = type == VIRTIO_BLK_DISCARD || type == VIRTIO_BLK_ZEROES;
    uint16_t flags = type == VIRTIO_BLK_OUT ? 0 : BM_VIRTQUEUE_WRITE;
    if (self->requests.free_count < 2 + has_range + count)
        return false;
    slot->header.type = type;
    slot->header.sector = sector;
    slot->status = VIRTIO_BLK_NONE;
    bm_virtqueue_chain_start(&self->requests, &chain);
    slot_put(self, &chain, slot, offsetof(struct virtio_blk_slot, header), sizeof slot->header, 0);
    if (has_range)
        slot_put(self, &chain, slot, offsetof(struct virtio_blk_slot, range), sizeof slot->range, 0);
    for (unsigned i = 0; i < count; i++)
        bm_virtqueue_chain_put(&self->requests, &chain, segments[i].address, segments[i].length, flags);
    slot_put(self, &chain, slot, offsetof(struct virtio_blk_slot, status), 1, BM_VIRTQUEUE_WRITE);
    bm_virtqueue_chain_add(&self->requests, &chain, slot);
    return true;
}

bool bm_virtio_blk_request_send(struct virtio_blk_queue *self, struct virtio_blk_slot *slot)
{
    static const uint8_t types[] = {[BM_BLOCK_READ] = VIRTIO_BLK_IN,
                                    [BM_BLOCK_WRITE] = VIRTIO_BLK_OUT,
                                    [BM_BLOCK_FLUSH] = VIRTIO_BLK_FLUSH,
                                    [BM_BLOCK_DISCARD] = VIRTIO_BLK_DISCARD,
                                    [BM_BLOCK_WRITE_ZEROES] = VIRTIO_BLK_ZEROES};
    const struct bm_block_request *request = slot->request;
    const struct bm_blockdev *blockdev = &self->blk->blockdev;
    uint32_t units = blockdev->sector_size / VIRTIO_BLK_UNIT, type = types[request->operation];
    uint64_t sector = request->disk_sector * units;
    slot->range.sector = sector;
    slot->range.count = request->count * units;
    // A discard's or flush's header has no sector (section 5.2.6.1).
    bool has_sector = type == VIRTIO_BLK_IN || type == VIRTIO_BLK_OUT;
    if (!bm_virtio_blk_send(self, slot, type, has_sector ? sector : 0, request->segments,
                            request->segment_count))
        return false;
    slot->flushes = request->flags & BM_BLOCK_FUA && blockdev->capabilities & BM_BLOCK_CAN_FLUSH;
    slot->tick = self->tick;
    slot->attempts++;
    return true;
}

void bm_virtio_blk_slot_free(struct virtio_blk_queue *self, struct virtio_blk_slot *slot)
{
    slot->request = NULL;
    slot->over = false;
    slot->next = self->free;
    self->free = (uint8_t)(slot - self->slots);
    self->free_count++;
}

// While the device is reset the request waits in its slot. Under the lock.
static int request_put(struct virtio_blk_queue *self, struct bm_block_request *request)
{
    struct virtio_blk_slot *slot = &self->slots[self->free];
    if (!self->free_count)
        return -BM_EAGAIN;
    slot->request = request;
    slot->attempts = 0;
    if (self->live && !bm_virtio_blk_request_send(self, slot)) {
        slot->request = NULL;
        return -BM_EAGAIN;
    }
    if (self->free_count == self->queue.depth) // nobody has looked since who knows when
        self->check = bm_time_monotonic() + VIRTIO_BLK_CHECK;
    self->free = slot->next;
    self->free_count--;
    return 0;
}

static int virtio_blk_submit(struct bm_blockqueue *queue, struct bm_block_request *request)
{
    struct virtio_blk_queue *self = queue_of(queue);
    bm_spinlock_acquire(&self->lock);
    int error = self->live && self->blk->device->broken ? -BM_ENODEV : request_put(self, request);
    bm_spinlock_release(&self->lock);
    return error;
}

static void virtio_blk_kick(struct bm_blockqueue *queue)
{
    struct virtio_blk_queue *self = queue_of(queue);
    bm_spinlock_acquire(&self->lock);
    if (self->live && !self->blk->device->broken)
        bm_virtqueue_kick(&self->requests);
    bm_spinlock_release(&self->lock);
}

// Changes of the configuration are the first queue's to look at.
static int virtio_blk_aim(struct bm_blockqueue *queue, unsigned core)
{
    struct virtio_blk_queue *self = queue_of(queue);
    int error = bm_virtqueue_core_set(&self->requests, core);
    return error || queue->number ? error : bm_virtio_config_core_set(self->blk->device, core);
}

const struct bm_blockdev_ops bm_virtio_blk_ops = {
    .submit = virtio_blk_submit, .kick = virtio_blk_kick, .aim = virtio_blk_aim};

struct finished {
    struct bm_block_request *request;
    int result;
};

// The device has answered. Returns whether the request is over: a write that is to be safe is flushed first,
// in the same slot and with descriptors of those that have just become free. Under the lock.
static bool slot_finish(struct virtio_blk_queue *self, struct virtio_blk_slot *slot,
                        struct finished *finished)
{
    uint8_t status = __atomic_load_n(&slot->status, __ATOMIC_ACQUIRE);
    if (status == VIRTIO_BLK_OK && slot->flushes) {
        slot->flushes = false;
        slot->tick = self->tick;
        if (bm_virtio_blk_send(self, slot, VIRTIO_BLK_FLUSH, 0, NULL, 0))
            return false;
        status = VIRTIO_BLK_NONE;
    }
    finished->request = slot->request;
    finished->result = status == VIRTIO_BLK_OK ? 0 : status == VIRTIO_BLK_UNSUPPORTED ? -BM_ENXIO : -BM_EIO;
    bm_virtio_blk_slot_free(self, slot);
    return true;
}

static bool answers_take(struct virtio_blk_queue *self)
{
    struct bm_virtqueue_done done[VIRTIO_BLK_BATCH];
    struct finished finished[VIRTIO_BLK_BATCH];
    unsigned over = 0, count = 0;
    bm_spinlock_acquire(&self->lock);
    if (self->live) {
        count = bm_virtqueue_take(&self->requests, done, VIRTIO_BLK_BATCH);
        for (unsigned i = 0; i < count; i++)
            over += slot_finish(self, done[i].cookie, &finished[over]);
        if (!self->blk->device->broken)
            bm_virtqueue_kick(&self->requests); // flushes
    }
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < over; i++)
        bm_block_done(&self->queue, finished[i].request, finished[i].result);
    return count || self->blk->device->broken; // then there is more to do
}

static bool queue_poll(void *arg)
{
    struct virtio_blk_queue *self = arg;
    struct virtio_blk *blk = self->blk;
    if (!self->queue.number && self->live && !blk->device->broken) {
        if (atomic_load_explicit(&blk->device->config_changed, memory_order_relaxed))
            bm_virtio_blk_config_changed(blk);
        if (atomic_load_explicit(&blk->reset_wanted, memory_order_relaxed)) {
            bm_virtio_blk_reset(blk);
            return true;
        }
    }
    if ((self->live && blk->device->broken) || self->failing)
        return bm_virtio_blk_give_up(self);
    if (bm_virtqueue_ready(&self->requests))
        return answers_take(self);
    return self->free_count < self->queue.depth && bm_virtio_blk_check(self);
}

static bool queue_arm(void *arg)
{
    struct virtio_blk_queue *self = arg;
    const struct bm_virtio_device *device = self->blk->device;
    bool work = !self->queue.number &&
                (atomic_load(&device->config_changed) || atomic_load(&self->blk->reset_wanted));
    bm_spinlock_acquire(&self->lock);
    if (self->live && device->broken)
        work = device->silent && self->free_count < self->queue.depth;
    else if (self->live)
        work |= bm_virtqueue_arm(&self->requests, 1) | self->failing;
    bm_spinlock_release(&self->lock);
    return work;
}

static uint64_t queue_deadline(void *arg)
{
    const struct virtio_blk_queue *self = arg;
    if (self->free_count == self->queue.depth || self->blk->device->broken)
        return UINT64_MAX;
    return self->blk->device->interrupts ? self->check : bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
}

int bm_virtio_blk_queue_create(struct virtio_blk *blk, unsigned number)
{
    struct virtio_blk_queue *self = &blk->queues[number];
    int error = bm_virtqueue_create(&self->requests, blk->device, number, VIRTIO_BLK_DESCRIPTORS);
    if (error)
        return error;
    self->blk = blk;
    self->live = true;
    self->slots_address = bm_dma_address(self->slots);
    unsigned depth = self->requests.size / 4u;
    self->queue.depth = depth > VIRTIO_BLK_DEPTH_MAX ? VIRTIO_BLK_DEPTH_MAX : depth ? depth : 1;
    for (unsigned i = self->queue.depth; i--;)
        bm_virtio_blk_slot_free(self, &self->slots[i]);
    self->queue.poller = (struct bm_poller){
        .name = "virtio_blk", .poll = queue_poll, .arm = queue_arm, .deadline = queue_deadline, .arg = self};
    bm_blockqueue_add(&blk->blockdev, &self->queue);
    return 0;
}
