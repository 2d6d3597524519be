// The virtio block device: requests in one queue, flush, discard, write zeroes, growing and shrinking disks.
// SPDX-License-Identifier: MIT
//
// QEMU: -drive if=none,id=d,file=disk.img,format=raw -device virtio-blk-pci,drive=d (microvm:
// virtio-blk-device)
//
// Section numbers are those of the VIRTIO specification, version 1.2; the block device is section 5.2. A
// request's header, its range and its status lie in a slot; the data goes to and from the submitter's own
// memory. One queue is used; VIRTIO_BLK_F_MQ comes with a queue a core.
#include <baremetal/block.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/virtio.h>
#include <stddef.h>

// Feature bits (section 5.2.3).
#define F_SIZE_MAX     (1ull << 1)
#define F_SEG_MAX      (1ull << 2)
#define F_RO           (1ull << 5)
#define F_BLK_SIZE     (1ull << 6)
#define F_FLUSH        (1ull << 9)
#define F_TOPOLOGY     (1ull << 10)
#define F_DISCARD      (1ull << 13)
#define F_WRITE_ZEROES (1ull << 14)

// Offsets in the configuration (section 5.2.4).
enum {
    CAPACITY = 0, // in sectors of 512 bytes, whatever the device's sector is
    SIZE_MAX_ = 8,
    SEG_MAX = 12,
    BLK_SIZE = 20,
    PHYSICAL_EXPONENT = 24,
    DISCARD_SECTORS = 36,
    ZEROES_SECTORS = 48
};

// Types and answers of requests (section 5.2.6).
enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8, TYPE_DISCARD = 11, TYPE_ZEROES = 13 };
enum { STATUS_OK = 0, STATUS_UNSUPPORTED = 2, STATUS_NONE = 0xff };

enum {
    UNIT = 512, // of the header's sector
    QUEUE_SIZE = 256,
    DEPTH_MAX = 64,
    SEGMENTS_MAX = 126,
    TRANSFER_MAX = 1 << 20,
    SERIAL_SIZE = 20,
    BATCH = 16,
    STATUS_NEEDS_RESET = 64 // of the device (section 2.1)
};

// What the device reads and writes of a request besides the data.
struct slot {
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    struct {
        uint64_t sector;
        uint32_t count, flags;
    } range; // of a discard or zeroes
    uint8_t status;
    // The driver's own:
    bool flushes; // behind a write that is to be safe
    uint8_t next; // free one
    struct bm_block_request *request;
};
_Static_assert(offsetof(struct slot, range) == 16, "header and range are as the specification has them");

struct virtio_blk {
    struct bm_blockdev blockdev; // first
    struct bm_blockqueue queue;
    struct bm_virtio_device *device;
    uint64_t slots_address;  // for the device
    struct bm_spinlock lock; // of what follows
    struct bm_virtqueue requests;
    uint8_t free, free_count; // slots
    struct slot slots[DEPTH_MAX];
    char serial[SERIAL_SIZE];
};

static struct virtio_blk *virtio_blk_of(struct bm_blockqueue *queue)
{
    return (struct virtio_blk *)queue->device;
}

// --- The path of every request ---

static bool slot_put(struct virtio_blk *self, struct bm_virtqueue_chain *chain, const struct slot *slot,
                     size_t offset, uint32_t length, uint16_t flags)
{
    uint64_t address = self->slots_address + (uint64_t)(slot - self->slots) * sizeof *slot + offset;
    return bm_virtqueue_chain_put(&self->requests, chain, address, length, flags);
}

// Puts a request of that type into the queue. Returns false when too few descriptors are free. Under the
// lock.
static bool slot_send(struct virtio_blk *self, struct slot *slot, uint32_t type, uint64_t sector,
                      const struct bm_dma_segment *segments, unsigned count)
{
    struct bm_virtqueue_chain chain;
    bool has_range = type == TYPE_DISCARD || type == TYPE_ZEROES;
    uint16_t flags = type == TYPE_OUT ? 0 : BM_VIRTQUEUE_WRITE;
    if (self->requests.free_count < 2 + has_range + count)
        return false;
    slot->header.type = type;
    slot->header.sector = sector;
    slot->status = STATUS_NONE;
    bm_virtqueue_chain_start(&self->requests, &chain);
    slot_put(self, &chain, slot, offsetof(struct slot, header), sizeof slot->header, 0);
    if (has_range)
        slot_put(self, &chain, slot, offsetof(struct slot, range), sizeof slot->range, 0);
    for (unsigned i = 0; i < count; i++)
        bm_virtqueue_chain_put(&self->requests, &chain, segments[i].address, segments[i].length, flags);
    slot_put(self, &chain, slot, offsetof(struct slot, status), 1, BM_VIRTQUEUE_WRITE);
    bm_virtqueue_chain_add(&self->requests, &chain, slot);
    return true;
}

static void slot_free(struct virtio_blk *self, struct slot *slot)
{
    slot->request = NULL;
    slot->next = self->free;
    self->free = (uint8_t)(slot - self->slots);
    self->free_count++;
}

// Under the lock.
static int virtio_blk_put(struct virtio_blk *self, struct bm_block_request *request)
{
    static const uint8_t types[] = {[BM_BLOCK_READ] = TYPE_IN,
                                    [BM_BLOCK_WRITE] = TYPE_OUT,
                                    [BM_BLOCK_FLUSH] = TYPE_FLUSH,
                                    [BM_BLOCK_DISCARD] = TYPE_DISCARD,
                                    [BM_BLOCK_WRITE_ZEROES] = TYPE_ZEROES};
    uint32_t units = self->blockdev.sector_size / UNIT, type = types[request->operation];
    uint64_t sector = request->disk_sector * units;
    struct slot *slot = &self->slots[self->free];
    if (!self->free_count)
        return -BM_EAGAIN;
    slot->range.sector = sector;
    slot->range.count = request->count * units;
    // A discard's or flush's header has no sector (section 5.2.6.1).
    bool has_sector = type == TYPE_IN || type == TYPE_OUT;
    if (!slot_send(self, slot, type, has_sector ? sector : 0, request->segments, request->segment_count))
        return -BM_EAGAIN;
    slot->request = request;
    slot->flushes = request->flags & BM_BLOCK_FUA && self->blockdev.capabilities & BM_BLOCK_CAN_FLUSH;
    self->free = slot->next;
    self->free_count--;
    return 0;
}

static int virtio_blk_submit(struct bm_blockqueue *queue, struct bm_block_request *request)
{
    struct virtio_blk *self = virtio_blk_of(queue);
    bm_spinlock_acquire(&self->lock);
    int error = self->device->broken ? -BM_ENODEV : virtio_blk_put(self, request);
    bm_spinlock_release(&self->lock);
    return error;
}

static void virtio_blk_kick(struct bm_blockqueue *queue)
{
    struct virtio_blk *self = virtio_blk_of(queue);
    bm_spinlock_acquire(&self->lock);
    if (!self->device->broken)
        bm_virtqueue_kick(&self->requests);
    bm_spinlock_release(&self->lock);
}

static int virtio_blk_aim(struct bm_blockqueue *queue, unsigned core)
{
    struct virtio_blk *self = virtio_blk_of(queue);
    int error = bm_virtqueue_core_set(&self->requests, core);
    return error ? error : bm_virtio_config_core_set(self->device, core);
}

static const struct bm_blockdev_ops virtio_blk_ops = {
    .submit = virtio_blk_submit, .kick = virtio_blk_kick, .aim = virtio_blk_aim};

struct finished {
    struct bm_block_request *request;
    int result;
};

// The device has answered. Returns whether the request is over: a write that is to be safe is flushed first,
// in the same slot and with descriptors of those that have just become free. Under the lock.
static bool slot_finish(struct virtio_blk *self, struct slot *slot, struct finished *finished)
{
    uint8_t status = __atomic_load_n(&slot->status, __ATOMIC_ACQUIRE);
    if (status == STATUS_OK && slot->flushes) {
        slot->flushes = false;
        if (slot_send(self, slot, TYPE_FLUSH, 0, NULL, 0))
            return false;
        status = STATUS_NONE;
    }
    finished->request = slot->request;
    finished->result = status == STATUS_OK ? 0 : status == STATUS_UNSUPPORTED ? -BM_ENXIO : -BM_EIO;
    slot_free(self, slot);
    return true;
}

static bool virtio_blk_take(struct virtio_blk *self)
{
    struct bm_virtqueue_done done[BATCH];
    struct finished finished[BATCH];
    unsigned over = 0;
    bm_spinlock_acquire(&self->lock);
    unsigned count = bm_virtqueue_take(&self->requests, done, BATCH);
    for (unsigned i = 0; i < count; i++)
        over += slot_finish(self, done[i].cookie, &finished[over]);
    if (!self->device->broken)
        bm_virtqueue_kick(&self->requests); // flushes
    bm_spinlock_release(&self->lock);
    for (unsigned i = 0; i < over; i++)
        bm_block_done(&self->queue, finished[i].request, finished[i].result);
    return count || self->device->broken; // then there is more to do
}

// --- The rest ---

// The device was switched off: what it still had fails, once it can no longer write to the memory.
static bool virtio_blk_abandon(struct virtio_blk *self)
{
    bool worked = false;
    self->blockdev.removed = true;
    for (;;) {
        bm_spinlock_acquire(&self->lock);
        struct slot *slot = bm_virtqueue_abandon(&self->requests);
        struct bm_block_request *request = slot ? slot->request : NULL;
        if (slot)
            slot_free(self, slot);
        bm_spinlock_release(&self->lock);
        if (!slot)
            return worked;
        bm_block_done(&self->queue, request, -BM_EIO);
        worked = true;
    }
}

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
    return (capacity > INT64_MAX / UNIT ? INT64_MAX / UNIT : capacity) / (self->blockdev.sector_size / UNIT);
}

// The configuration has changed: the disk has another size, or the device is at its end (section 2.1.2).
static void virtio_blk_config_changed(struct virtio_blk *self)
{
    atomic_store(&self->device->config_changed, false);
    if (self->device->transport->status_get(self->device) & STATUS_NEEDS_RESET) {
        bm_virtio_fail(self->device, "says that it needs a reset");
        return;
    }
    uint64_t sectors = virtio_blk_capacity(self);
    if (sectors != self->blockdev.sectors)
        bm_log_info(self->blockdev.name, "now has %llu sectors", (unsigned long long)sectors);
    self->blockdev.sectors = sectors;
}

static bool virtio_blk_poll(void *arg)
{
    struct virtio_blk *self = arg;
    if (!self->device->broken && atomic_load(&self->device->config_changed))
        virtio_blk_config_changed(self);
    if (self->device->broken)
        return virtio_blk_abandon(self);
    return bm_virtqueue_ready(&self->requests) && virtio_blk_take(self);
}

static bool virtio_blk_arm(void *arg)
{
    struct virtio_blk *self = arg;
    bool work = atomic_load(&self->device->config_changed);
    bm_spinlock_acquire(&self->lock);
    if (self->device->broken)
        work = self->device->silent && self->requests.free_count < self->requests.size;
    else
        work |= bm_virtqueue_arm(&self->requests, 1);
    bm_spinlock_release(&self->lock);
    return work;
}

static uint64_t virtio_blk_deadline(void *arg)
{
    const struct virtio_blk *self = arg;
    bool waits = self->free_count < self->queue.depth && !self->device->interrupts && !self->device->broken;
    return waits ? bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL : UINT64_MAX;
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
    uint32_t size = limit(self, F_BLK_SIZE, BLK_SIZE, UNIT);
    blockdev->sector_size = size < UNIT || size > BM_BLOCK_SECTOR_MAX || size & (size - 1) ? UNIT : size;
    blockdev->sectors = virtio_blk_capacity(self);
    blockdev->physical_size = blockdev->sector_size;
    uint32_t exponent = features & F_TOPOLOGY ? bm_virtio_config_read(self->device, PHYSICAL_EXPONENT, 1) : 0;
    if (exponent < 16)
        blockdev->physical_size <<= exponent;
    blockdev->read_only = features & F_RO;
    blockdev->alignment = 1;
    uint32_t fit = self->requests.size > 3 ? self->requests.size - 2u : 0;
    uint32_t segments = limit(self, F_SEG_MAX, SEG_MAX, SEGMENTS_MAX);
    segments = segments < fit ? segments : fit;
    blockdev->segments_max = segments < SEGMENTS_MAX ? segments : SEGMENTS_MAX;
    blockdev->segment_max = limit(self, F_SIZE_MAX, SIZE_MAX_, TRANSFER_MAX) & -blockdev->sector_size;
    if (blockdev->segment_max > TRANSFER_MAX)
        blockdev->segment_max = TRANSFER_MAX;
    uint64_t transfer = (uint64_t)blockdev->segments_max * blockdev->segment_max;
    blockdev->transfer_max = transfer < TRANSFER_MAX ? (uint32_t)transfer : TRANSFER_MAX;
    uint32_t units = blockdev->sector_size / UNIT;
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
    struct slot *slot = &self->slots[self->free];
    const struct bm_dma_segment segment = {bm_dma_address(self->serial), SERIAL_SIZE};
    struct bm_virtqueue_done done;
    uint64_t end = bm_time_monotonic() + answer_time_max;
    self->free = slot->next;
    self->free_count--;
    slot_send(self, slot, TYPE_GET_ID, 0, &segment, 1);
    bm_virtqueue_kick(&self->requests);
    while (!bm_virtqueue_take(&self->requests, &done, 1))
        if (self->device->broken || bm_time_monotonic() > end) {
            bm_virtio_fail(self->device, "does not answer");
            return -BM_EIO;
        }
    for (unsigned i = 0; i < SERIAL_SIZE && slot->status == STATUS_OK; i++) {
        char c = *(volatile char *)&self->serial[i];
        if (c <= ' ' || c > '~')
            break;
        self->blockdev.serial[i] = c;
    }
    slot_free(self, slot);
    return 0;
}

static int virtio_blk_start(struct virtio_blk *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH |
                                                      F_TOPOLOGY | F_DISCARD | F_WRITE_ZEROES);
    if (error)
        return error;
    bm_virtio_interrupt_start(self->device, 1);
    error = bm_virtqueue_create(&self->requests, self->device, 0, QUEUE_SIZE);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queue");
        return error;
    }
    virtio_blk_describe(self);
    unsigned depth = self->requests.size / 4u;
    self->queue.depth = depth > DEPTH_MAX ? DEPTH_MAX : depth ? depth : 1;
    for (unsigned i = self->queue.depth; i--;)
        slot_free(self, &self->slots[i]);
    bm_virtio_ready(self->device);
    return virtio_blk_serial(self);
}

static int virtio_blk_attach(struct bm_device *device)
{
    struct virtio_blk *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_blk));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    self->slots_address = bm_dma_address(self->slots);
    self->blockdev.driver = "virtio_blk";
    self->blockdev.ops = &virtio_blk_ops;
    self->queue.poller = (struct bm_poller){.name = "virtio_blk",
                                            .poll = virtio_blk_poll,
                                            .arm = virtio_blk_arm,
                                            .deadline = virtio_blk_deadline,
                                            .arg = self};
    device->state = self;
    int error = virtio_blk_start(self);
    if (error)
        return error;
    bm_blockqueue_add(&self->blockdev, &self->queue);
    error = bm_blockdev_add(&self->blockdev, "vd");
    if (error) {
        bm_virtio_fail(self->device, "says of itself what cannot be");
        return error;
    }
    bm_log_info(device->name, "%s: %llu sectors of %u bytes%s, features %llx", self->blockdev.name,
                (unsigned long long)self->blockdev.sectors, self->blockdev.sector_size,
                self->blockdev.read_only ? ", read-only" : "", (unsigned long long)self->device->features);
    return 0;
}

static const struct bm_device_id virtio_blk_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_BLOCK},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_blk) = {.name = "virtio_blk", .ids = virtio_blk_ids, .attach = virtio_blk_attach};
