// The virtio block device: from the device to a disk with its queues, and what it says of itself.
// SPDX-License-Identifier: MIT
//
// QEMU: -drive if=none,id=d,file=disk.img,format=raw -device virtio-blk-pci,drive=d (microvm:
// virtio-blk-device)
//
// Section numbers are those of the VIRTIO specification, version 1.2; the block device is section 5.2. A
// request's header, its range and its status lie in a slot; the data goes to and from the submitter's own
// memory. There is a queue for each core, as far as the device and its interrupts go.
#include "virtio_blk.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

// Feature bits (section 5.2.3).
#define F_SIZE_MAX     (1ull << 1)
#define F_SEG_MAX      (1ull << 2)
#define F_RO           (1ull << 5)
#define F_BLK_SIZE     (1ull << 6)
#define F_FLUSH        (1ull << 9)
#define F_TOPOLOGY     (1ull << 10)
#define F_MQ           (1ull << 12)
#define F_DISCARD      (1ull << 13)
#define F_WRITE_ZEROES (1ull << 14)

// Offsets in the configuration (section 5.2.4).
enum {
    CAPACITY = 0, // in sectors of 512 bytes, whatever the device's sector is
    SIZE_MAX_ = 8,
    SEG_MAX = 12,
    BLK_SIZE = 20,
    PHYSICAL_EXPONENT = 24,
    QUEUE_COUNT = 34,
    DISCARD_SECTORS = 36,
    ZEROES_SECTORS = 48
};

enum { TRANSFER_MAX = 1 << 20, NEEDS_RESET = 64 }; // the latter: of the device's status (section 2.1)

static void capacity_read(struct bm_virtio_device *device, void *arg)
{
    *(uint64_t *)arg = bm_virtio_config_read(device, CAPACITY, 4) |
                       (uint64_t)bm_virtio_config_read(device, CAPACITY + 4, 4) << 32;
}

static uint64_t virtio_blk_capacity(struct virtio_blk *self)
{
    uint64_t capacity;
    bm_virtio_config_stable(self->device, capacity_read, &capacity);
    // Bytes have a sign elsewhere.
    return (capacity > INT64_MAX / VIRTIO_BLK_UNIT ? INT64_MAX / VIRTIO_BLK_UNIT : capacity) /
           (self->blockdev.sector_size / VIRTIO_BLK_UNIT);
}

void bm_virtio_blk_config_changed(struct virtio_blk *self)
{
    atomic_store(&self->device->config_changed, false);
    if (self->device->transport->status_get(self->device) & NEEDS_RESET) {
        bm_log_warn(self->blockdev.name, "says that it needs a reset");
        atomic_store(&self->reset_wanted, true);
        return;
    }
    uint64_t sectors = virtio_blk_capacity(self);
    if (sectors != self->blockdev.sectors)
        bm_log_info(self->blockdev.name, "now has %llu sectors", (unsigned long long)sectors);
    self->blockdev.sectors = sectors;
}

// A 32-bit field of the configuration, if the device has that feature and it says something sensible.
static uint32_t limit(struct virtio_blk *self, uint64_t feature, unsigned offset, uint32_t otherwise)
{
    uint32_t value = self->device->features & feature ? bm_virtio_config_read(self->device, offset, 4) : 0;
    return value ? value : otherwise;
}

// What the device says of itself (section 5.2.4).
static void virtio_blk_describe(struct virtio_blk *self)
{
    struct bm_blockdev *blockdev = &self->blockdev;
    uint64_t features = self->device->features;
    uint32_t sector = limit(self, F_BLK_SIZE, BLK_SIZE, VIRTIO_BLK_UNIT);
    blockdev->sector_size = sector < VIRTIO_BLK_UNIT || sector > BM_BLOCK_SECTOR_MAX || sector & (sector - 1)
                                ? VIRTIO_BLK_UNIT
                                : sector;
    blockdev->sectors = virtio_blk_capacity(self);
    blockdev->physical_size = blockdev->sector_size;
    uint32_t exponent = features & F_TOPOLOGY ? bm_virtio_config_read(self->device, PHYSICAL_EXPONENT, 1) : 0;
    if (exponent < 16)
        blockdev->physical_size <<= exponent;
    blockdev->read_only = features & F_RO;
    blockdev->alignment = 1;
    unsigned size = self->queues[0].requests.size;
    for (unsigned i = 1; i < self->queue_count; i++)
        size = self->queues[i].requests.size < size ? self->queues[i].requests.size : size;
    uint32_t fit = size > 3 ? size - 2u : 0;
    uint32_t segments = limit(self, F_SEG_MAX, SEG_MAX, VIRTIO_BLK_SEGMENTS_MAX);
    segments = segments < fit ? segments : fit;
    blockdev->segments_max = segments < VIRTIO_BLK_SEGMENTS_MAX ? segments : VIRTIO_BLK_SEGMENTS_MAX;
    blockdev->segment_max = limit(self, F_SIZE_MAX, SIZE_MAX_, TRANSFER_MAX) & -blockdev->sector_size;
    if (blockdev->segment_max > TRANSFER_MAX)
        blockdev->segment_max = TRANSFER_MAX;
    uint64_t transfer = (uint64_t)blockdev->segments_max * blockdev->segment_max;
    blockdev->transfer_max = transfer < TRANSFER_MAX ? (uint32_t)transfer : TRANSFER_MAX;
    uint32_t units = blockdev->sector_size / VIRTIO_BLK_UNIT;
    blockdev->discard_max = limit(self, F_DISCARD, DISCARD_SECTORS, 0) / units;
    blockdev->zeroes_max = limit(self, F_WRITE_ZEROES, ZEROES_SECTORS, 0) / units;
    blockdev->capabilities = (features & F_FLUSH ? BM_BLOCK_CAN_FLUSH : 0) |
                             (blockdev->discard_max ? BM_BLOCK_CAN_DISCARD : 0) |
                             (blockdev->zeroes_max ? BM_BLOCK_CAN_WRITE_ZEROES : 0);
}

// Asks for the serial number (VIRTIO_BLK_T_GET_ID), which not every device has; each answers. One that does
// not would have boot wait for its partitions for ever: it is switched off. Before anybody else is in the
// queue.
static int virtio_blk_serial(struct virtio_blk *self)
{
    const uint64_t answer_time_max = 10000000000; // ns
    struct virtio_blk_queue *queue = &self->queues[0];
    struct virtio_blk_slot *slot = &queue->slots[queue->free];
    const struct bm_dma_segment segment = {bm_dma_address(self->serial), sizeof self->serial};
    struct bm_virtqueue_done done;
    uint64_t end = bm_time_monotonic() + answer_time_max;
    queue->free = slot->next;
    queue->free_count--;
    bm_virtio_blk_send(queue, slot, VIRTIO_BLK_GET_ID, 0, &segment, 1);
    bm_virtqueue_kick(&queue->requests);
    while (!bm_virtqueue_take(&queue->requests, &done, 1))
        if (self->device->broken || bm_time_monotonic() > end) {
            bm_virtio_fail(self->device, "does not answer");
            return -BM_EIO;
        }
    for (unsigned i = 0; i < sizeof self->serial && slot->status == VIRTIO_BLK_OK; i++) {
        char c = *(volatile char *)&self->serial[i];
        if (c <= ' ' || c > '~')
            break;
        self->blockdev.serial[i] = c;
    }
    bm_virtio_blk_slot_free(queue, slot);
    return 0;
}

// As many queues as the device has, cores there are to be, and interrupts there are (section 5.2.4).
static int virtio_blk_queues_create(struct virtio_blk *self)
{
    unsigned count = self->device->features & F_MQ ? bm_virtio_config_read(self->device, QUEUE_COUNT, 2) : 1;
    unsigned cores = bm_core_called();
    count = count < cores ? count : cores;
    count = count > VIRTIO_BLK_QUEUES_MAX ? VIRTIO_BLK_QUEUES_MAX : count ? count : 1;
    bm_virtio_interrupt_start(self->device, count);
    unsigned interrupts = self->device->interrupts > 1 ? self->device->interrupts - 1 : 1;
    self->queue_count = count < interrupts ? count : interrupts;
    self->queues =
        bm_memory_permanent(self->queue_count * sizeof *self->queues, _Alignof(struct virtio_blk_queue));
    int error = self->queues ? 0 : -BM_ENOMEM;
    for (unsigned i = 0; i < self->queue_count && !error; i++)
        error = bm_virtio_blk_queue_create(self, i);
    return error;
}

static int virtio_blk_start(struct virtio_blk *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH |
                                                      F_TOPOLOGY | F_MQ | F_DISCARD | F_WRITE_ZEROES);
    if (error)
        return error;
    error = virtio_blk_queues_create(self);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queue");
        return error;
    }
    virtio_blk_describe(self);
    bm_virtio_ready(self->device);
    return virtio_blk_serial(self);
}

static int virtio_blk_attach(struct bm_device *device)
{
    struct virtio_blk *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_blk));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    self->blockdev.driver = "virtio_blk";
    self->blockdev.ops = &bm_virtio_blk_ops;
    device->state = self;
    int error = virtio_blk_start(self);
    if (error)
        return error;
    error = bm_blockdev_add(&self->blockdev, "vd");
    if (error) {
        bm_virtio_fail(self->device, "says of itself what cannot be");
        return error;
    }
    bm_log_info(device->name, "%s: %llu sectors of %u bytes%s, %u queues, features %llx", self->blockdev.name,
                (unsigned long long)self->blockdev.sectors, self->blockdev.sector_size,
                self->blockdev.read_only ? ", read-only" : "", self->queue_count,
                (unsigned long long)self->device->features);
    return 0;
}

static const struct bm_device_id virtio_blk_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_BLOCK},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_blk) = {.name = "virtio_blk", .ids = virtio_blk_ids, .attach = virtio_blk_attach};
