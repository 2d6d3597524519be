// The path of every request: as a SCSI command into a queue of the host, and back with its answer.
// SPDX-License-Identifier: MIT
#include "virtio_scsi.h"

#include <baremetal/error.h>
#include <baremetal/time.h>

enum { READ_16 = 0x88, WRITE_16 = 0x8a, SYNCHRONIZE_CACHE = 0x35, UNMAP = 0x42 };
enum { RESPONSE_OK = 0, RESPONSE_BAD_TARGET = 3, RESPONSE_RESET = 4, RESPONSE_NONE = 0xff };
enum { STATUS_GOOD = 0, STATUS_CHECK = 2, SENSE_ILLEGAL = 5, SENSE_ATTENTION = 6 };

static struct virtio_scsi_disk *disk_of(struct bm_blockqueue *queue)
{
    return (struct virtio_scsi_disk *)queue->device;
}

// Numbers of SCSI have their first byte first.
static void number_put(uint8_t *at, unsigned bytes, uint64_t value)
{
    while (bytes--) {
        at[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

// Section 5.6.6.1: one level, target and unit.
static void address_put(struct virtio_scsi_slot *slot, unsigned target, unsigned lun)
{
    __builtin_memset(&slot->command, 0, sizeof slot->command);
    slot->command.lun[0] = 1;
    slot->command.lun[1] = (uint8_t)target;
    slot->command.lun[2] = (uint8_t)(0x40 | lun >> 8);
    slot->command.lun[3] = (uint8_t)lun;
    slot->answer.response = RESPONSE_NONE;
}

// First what the device reads, then what it writes. Returns false when too few descriptors are free. Under
// the lock.
static bool slot_send(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot,
                      const struct bm_dma_segment *segments, unsigned count, bool writes)
{
    struct bm_virtqueue_chain chain;
    struct bm_virtqueue *queue = &self->requests;
    uint64_t at = self->slots_address + (uint64_t)(slot - self->slots) * sizeof *slot;
    if (queue->free_count < 2 + count)
        return false;
    bm_virtqueue_chain_start(queue, &chain);
    bm_virtqueue_chain_put(queue, &chain, at, sizeof slot->command, 0);
    for (unsigned i = 0; i < count && writes; i++) {
        bm_virtqueue_chain_put(queue, &chain, segments[i].address, segments[i].length, 0);
        bm_virtqueue_chain_allow(&chain, segments[i].length); // QEMU counts it
    }
    bm_virtqueue_chain_put(queue, &chain, at + offsetof(struct virtio_scsi_slot, answer), sizeof slot->answer,
                           BM_VIRTQUEUE_WRITE);
    for (unsigned i = 0; i < count && !writes; i++)
        bm_virtqueue_chain_put(queue, &chain, segments[i].address, segments[i].length, BM_VIRTQUEUE_WRITE);
    bm_virtqueue_chain_add(queue, &chain, slot);
    return true;
}

// SBC-3 section 5.28: one range.
static bool unmap_send(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot)
{
    const struct bm_dma_segment segment = {self->slots_address +
                                               (uint64_t)(slot - self->slots) * sizeof *slot +
                                               offsetof(struct virtio_scsi_slot, range),
                                           sizeof slot->range};
    slot->command.cdb[0] = UNMAP;
    number_put(&slot->command.cdb[7], 2, sizeof slot->range);
    number_put(slot->range, 8, 22ull << 48 | 16ull << 32); // bytes that follow, bytes of ranges
    number_put(slot->range + 8, 8, slot->request->disk_sector);
    number_put(slot->range + 16, 8, (uint64_t)slot->request->count << 32);
    return slot_send(self, slot, &segment, 1, true);
}

// Under the lock.
static bool command_send(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot)
{
    const struct bm_block_request *request = slot->request;
    bool writes = request->operation == BM_BLOCK_WRITE;
    uint8_t *cdb = slot->command.cdb;
    address_put(slot, slot->disk->target, slot->disk->lun);
    slot->tick = self->tick;
    if (request->operation == BM_BLOCK_FLUSH || slot->flushes) {
        cdb[0] = SYNCHRONIZE_CACHE;
        return slot_send(self, slot, NULL, 0, false);
    }
    if (request->operation == BM_BLOCK_DISCARD)
        return unmap_send(self, slot);
    cdb[0] = writes ? WRITE_16 : READ_16;
    number_put(cdb + 2, 8, request->disk_sector);
    number_put(cdb + 10, 4, request->count);
    return slot_send(self, slot, request->segments, request->segment_count, writes);
}

bool bm_virtio_scsi_request_send(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot)
{
    slot->flushes = false;
    slot->tries = 0;
    if (!command_send(self, slot))
        return false;
    slot->attempts++;
    return true;
}

void bm_virtio_scsi_slot_free(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot)
{
    slot->request = NULL;
    slot->over = false;
    slot->next = self->free;
    self->free = (uint8_t)(slot - self->slots);
    self->free_count++;
}

// While the host is reset the request waits in its slot. Under the lock.
static int request_put(struct virtio_scsi_queue *self, struct virtio_scsi_disk *disk,
                       struct bm_block_request *request)
{
    struct virtio_scsi_slot *slot = &self->slots[self->free];
    if (!self->free_count)
        return -BM_EAGAIN;
    slot->request = request;
    slot->disk = disk;
    slot->attempts = 0;
    if (self->live && !bm_virtio_scsi_request_send(self, slot)) {
        slot->request = NULL;
        return -BM_EAGAIN;
    }
    if (self->free_count == self->depth) // nobody has looked since who knows when
        self->check = bm_time_monotonic() + VIRTIO_SCSI_CHECK;
    self->free = slot->next;
    self->free_count--;
    return 0;
}

static int virtio_scsi_submit(struct bm_blockqueue *queue, struct bm_block_request *request)
{
    struct virtio_scsi_disk *disk = disk_of(queue);
    struct virtio_scsi_queue *self = disk->requests;
    bm_spinlock_acquire(&self->lock);
    int error = self->live && self->scsi->device->broken ? -BM_ENODEV : request_put(self, disk, request);
    bm_spinlock_release(&self->lock);
    return error;
}

static void virtio_scsi_kick(struct bm_blockqueue *queue)
{
    struct virtio_scsi_queue *self = disk_of(queue)->requests;
    bm_spinlock_acquire(&self->lock);
    if (self->live && !self->scsi->device->broken)
        bm_virtqueue_kick(&self->requests);
    bm_spinlock_release(&self->lock);
}

// A queue that several disks have stays where it is.
static int virtio_scsi_aim(struct bm_blockqueue *queue, unsigned core)
{
    struct virtio_scsi_queue *self = disk_of(queue)->requests;
    return self->disks > 1 ? -BM_EBUSY : bm_virtqueue_core_set(&self->requests, core);
}

const struct bm_blockdev_ops bm_virtio_scsi_ops = {
    .submit = virtio_scsi_submit, .kick = virtio_scsi_kick, .aim = virtio_scsi_aim};

struct finished {
    struct virtio_scsi_disk *disk;
    struct bm_block_request *request;
    int result;
};

// Sense data of both formats (SPC-4 section 4.5).
static unsigned sense_key(const struct virtio_scsi_answer *answer)
{
    unsigned format = answer->sense[0] & 0x7f;
    return format >= 0x72 ? answer->sense[1] & 15 : answer->sense[2] & 15;
}

// Returns 0, -BM_EAGAIN when the command is to be sent once more, or another negative error.
static int result_of(const struct virtio_scsi_answer *answer)
{
    uint8_t response = __atomic_load_n(&answer->response, __ATOMIC_ACQUIRE);
    if (response == RESPONSE_RESET)
        return -BM_EAGAIN;
    if (response != RESPONSE_OK)
        return response == RESPONSE_BAD_TARGET ? -BM_ENODEV : -BM_EIO;
    if (answer->status == STATUS_GOOD)
        return answer->residual ? -BM_EIO : 0;
    if (answer->status != STATUS_CHECK)
        return -BM_EIO;
    unsigned key = sense_key(answer);
    return key == SENSE_ATTENTION ? -BM_EAGAIN : key == SENSE_ILLEGAL ? -BM_ENXIO : -BM_EIO;
}

// Returns whether the request is over: a unit may have something to tell first, and a write that is to be
// safe is flushed. Under the lock.
static bool slot_finish(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot,
                        struct finished *finished)
{
    int result = result_of(&slot->answer);
    if (result == -BM_EAGAIN && slot->tries++ < VIRTIO_SCSI_TRIES_MAX && command_send(self, slot))
        return false;
    if (result == 0 && slot->request->flags & BM_BLOCK_FUA && !slot->flushes) {
        slot->flushes = true;
        if (command_send(self, slot))
            return false;
        result = -BM_EIO;
    }
    *finished = (struct finished){slot->disk, slot->request, result == -BM_EAGAIN ? -BM_EIO : result};
    bm_virtio_scsi_slot_free(self, slot);
    return true;
}

static bool answers_take(struct virtio_scsi_queue *self)
{
    struct bm_virtqueue_done done[VIRTIO_SCSI_BATCH];
    struct finished finished[VIRTIO_SCSI_BATCH];
    unsigned over = 0, count = 0;
    bm_spinlock_acquire(&self->lock);
    if (self->live) {
        count = bm_virtqueue_take(&self->requests, done, VIRTIO_SCSI_BATCH);
        for (unsigned i = 0; i < count; i++)
            over += slot_finish(self, done[i].cookie, &finished[over]);
        if (!self->scsi->device->broken)
            bm_virtqueue_kick(&self->requests); // what was sent again
    }
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < over; i++)
        bm_block_done(&finished[i].disk->queue, finished[i].request, finished[i].result);
    return count || self->scsi->device->broken; // then there is more to do
}

static bool disk_poll(void *arg)
{
    struct virtio_scsi_queue *self = ((struct virtio_scsi_disk *)arg)->requests;
    struct virtio_scsi *scsi = self->scsi;
    if (self->live && !scsi->device->broken && arg == scsi->disks[0]) {
        enum { NEEDS_RESET = 64 };
        if (atomic_load_explicit(&scsi->device->config_changed, memory_order_relaxed) &&
            atomic_exchange(&scsi->device->config_changed, false) &&
            scsi->device->transport->status_get(scsi->device) & NEEDS_RESET)
            atomic_store(&scsi->reset_wanted, true);
        if (atomic_load_explicit(&scsi->reset_wanted, memory_order_relaxed)) {
            bm_virtio_scsi_reset(scsi);
            return true;
        }
    }
    if ((self->live && scsi->device->broken) || self->failing)
        return bm_virtio_scsi_give_up(self);
    if (bm_virtqueue_ready(&self->requests))
        return answers_take(self);
    return self->free_count < self->depth && bm_virtio_scsi_check(self);
}

static bool disk_arm(void *arg)
{
    struct virtio_scsi_queue *self = ((struct virtio_scsi_disk *)arg)->requests;
    const struct bm_virtio_device *device = self->scsi->device;
    bool work = arg == self->scsi->disks[0] &&
                (atomic_load(&device->config_changed) || atomic_load(&self->scsi->reset_wanted));
    bm_spinlock_acquire(&self->lock);
    if (self->live && device->broken)
        work = device->silent && self->free_count < self->depth;
    else if (self->live)
        work |= bm_virtqueue_arm(&self->requests, 1) | self->failing;
    bm_spinlock_release(&self->lock);
    return work;
}

static uint64_t disk_deadline(void *arg)
{
    const struct virtio_scsi_queue *self = ((const struct virtio_scsi_disk *)arg)->requests;
    if (self->free_count == self->depth || self->scsi->device->broken)
        return UINT64_MAX;
    return self->scsi->device->interrupts ? self->check : bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
}

void bm_virtio_scsi_disk_prepare(struct virtio_scsi_disk *disk, struct virtio_scsi_queue *queue)
{
    disk->requests = queue;
    disk->queue.depth = queue->depth;
    queue->disks++;
    disk->queue.poller = (struct bm_poller){
        .name = "virtio_scsi", .poll = disk_poll, .arm = disk_arm, .deadline = disk_deadline, .arg = disk};
    bm_blockqueue_add(&disk->blockdev, &disk->queue);
}

int bm_virtio_scsi_queue_create(struct virtio_scsi *scsi, unsigned number)
{
    enum { FIRST = 2 }; // behind the control queue and that of events (section 5.6.2)
    struct virtio_scsi_queue *self = &scsi->queues[number];
    int error = bm_virtqueue_create(&self->requests, scsi->device, FIRST + number, VIRTIO_SCSI_DESCRIPTORS);
    if (error)
        return error;
    unsigned depth = self->requests.size / 4u;
    self->scsi = scsi;
    self->live = true;
    self->slots_address = bm_dma_address(self->slots);
    self->depth = depth > VIRTIO_SCSI_DEPTH_MAX ? VIRTIO_SCSI_DEPTH_MAX : depth ? depth : 1;
    for (unsigned i = self->depth; i--;)
        bm_virtio_scsi_slot_free(self, &self->slots[i]);
    return 0;
}

// Before anybody else is in the first queue, or while its disks are added one by one: it is taken from the
// poller.
int bm_virtio_scsi_ask(struct virtio_scsi *self, unsigned target, unsigned lun, const uint8_t cdb[16],
                       uint32_t bytes)
{
    const uint64_t answer_time_max = 10000000000; // ns
    struct virtio_scsi_queue *queue = &self->queues[0];
    struct virtio_scsi_slot *slot = &queue->slots[queue->free];
    const struct bm_dma_segment segment = {bm_dma_address(self->answer), bytes};
    struct bm_virtqueue_done done;
    uint64_t end = bm_time_monotonic() + answer_time_max;
    if (self->device->broken)
        return -BM_EIO;
    __builtin_memset(self->answer, 0, VIRTIO_SCSI_ANSWER);
    address_put(slot, target, lun);
    __builtin_memcpy(slot->command.cdb, cdb, 16);
    slot_send(queue, slot, &segment, bytes ? 1 : 0, false);
    bm_virtqueue_kick(&queue->requests);
    while (!bm_virtqueue_take(&queue->requests, &done, 1))
        if (self->device->broken || bm_time_monotonic() > end) {
            bm_virtio_fail(self->device, "does not answer");
            return -BM_EIO;
        }
    slot->answer.residual = 0; // answers may be shorter than there is room for
    return result_of(&slot->answer);
}
