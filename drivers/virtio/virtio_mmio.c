// The virtio transport over memory-mapped registers: machines without PCI.
// SPDX-License-Identifier: MIT
//
// QEMU: -machine microvm -device virtio-net-device, -device virtio-rng-device and so on. QEMU shows the
// interface of before virtio 1.0 (version 1) unless `-global virtio-mmio.force-legacy=false` is said;
// Firecracker shows version 2.
//
// Section numbers are those of the VIRTIO specification, version 1.2: registers 4.2.2, the older
// interface 4.2.4.
#include "virtio_mmio.h"

#include "virtio_config.h"

#include <baremetal/error.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/virtio.h>

// Registers by their number as 32-bit words (section 4.2.2).
enum {
    MAGIC = 0x000 / 4,
    VERSION = 0x004 / 4,
    DEVICE_ID = 0x008 / 4,
    VENDOR_ID = 0x00c / 4,
    DEVICE_FEATURES = 0x010 / 4,
    DEVICE_FEATURES_SELECT = 0x014 / 4,
    DRIVER_FEATURES = 0x020 / 4,
    DRIVER_FEATURES_SELECT = 0x024 / 4,
    LEGACY_PAGE_SIZE = 0x028 / 4,
    QUEUE_SELECT = 0x030 / 4,
    QUEUE_SIZE_MAX = 0x034 / 4,
    QUEUE_SIZE = 0x038 / 4,
    LEGACY_QUEUE_ALIGN = 0x03c / 4,
    LEGACY_QUEUE_PAGE = 0x040 / 4,
    QUEUE_READY = 0x044 / 4,
    QUEUE_NOTIFY = 0x050 / 4,
    INTERRUPT_STATUS = 0x060 / 4,
    INTERRUPT_ACKNOWLEDGE = 0x064 / 4,
    STATUS = 0x070 / 4,
    QUEUE_DESCRIPTORS = 0x080 / 4,
    QUEUE_DRIVER = 0x090 / 4,
    QUEUE_DEVICE = 0x0a0 / 4,
    CONFIG_GENERATION = 0x0fc / 4,
    CONFIG = 0x100 // bytes
};

enum { MAGIC_VALUE = 0x74726976, VERSION_LEGACY = 1, VERSION_MODERN = 2 };
enum { INTERRUPT_QUEUE = 1, INTERRUPT_CONFIG = 2 };

struct virtio_mmio {
    struct bm_virtio_device virtio; // first
    volatile uint32_t *registers;
    struct virtio_mmio_place place;
    uint32_t config_length;
    int vector;
    atomic_bool *config_changed; // the flag of interrupt 0
};

static struct virtio_mmio *virtio_mmio_of(struct bm_virtio_device *device)
{
    return (struct virtio_mmio *)device;
}

static volatile uint32_t *virtio_mmio_registers(struct bm_virtio_device *device)
{
    return virtio_mmio_of(device)->registers;
}

static uint8_t virtio_mmio_status_get(struct bm_virtio_device *device)
{
    return (uint8_t)virtio_mmio_registers(device)[STATUS];
}

static void virtio_mmio_status_set(struct bm_virtio_device *device, uint8_t status)
{
    virtio_mmio_registers(device)[STATUS] = status;
}

// An old device has 32 feature bits. Its drivers see VERSION_1 all the same: what differs is said by
// device->legacy.
static uint64_t virtio_mmio_features_get(struct bm_virtio_device *device)
{
    volatile uint32_t *registers = virtio_mmio_registers(device);
    registers[DEVICE_FEATURES_SELECT] = 0;
    uint64_t features = registers[DEVICE_FEATURES];
    if (device->legacy)
        return features | BM_VIRTIO_F_VERSION_1;
    registers[DEVICE_FEATURES_SELECT] = 1;
    return features | (uint64_t)registers[DEVICE_FEATURES] << 32;
}

static void virtio_mmio_features_set(struct bm_virtio_device *device, uint64_t features)
{
    volatile uint32_t *registers = virtio_mmio_registers(device);
    registers[DRIVER_FEATURES_SELECT] = 0;
    registers[DRIVER_FEATURES] = (uint32_t)features;
    if (device->legacy)
        return;
    registers[DRIVER_FEATURES_SELECT] = 1;
    registers[DRIVER_FEATURES] = (uint32_t)(features >> 32);
}

static uint32_t virtio_mmio_config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    struct virtio_mmio *self = virtio_mmio_of(device);
    if (offset + size > self->config_length)
        return 0xffffffff >> (32 - 8 * size);
    volatile uint8_t *field = (volatile uint8_t *)self->registers + CONFIG + offset;
    return size == 4 ? *(volatile uint32_t *)field : size == 2 ? *(volatile uint16_t *)field : *field;
}

void bm_virtio_mmio_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size,
                                 uint32_t value)
{
    struct virtio_mmio *self = virtio_mmio_of(device);
    if (offset + size <= self->config_length)
        bm_virtio_field_write((volatile uint8_t *)self->registers + CONFIG + offset, size, value);
}

static uint32_t virtio_mmio_config_generation(struct bm_virtio_device *device)
{
    return device->legacy ? 0 : virtio_mmio_registers(device)[CONFIG_GENERATION];
}

static unsigned virtio_mmio_queue_size(struct bm_virtio_device *device, unsigned index)
{
    volatile uint32_t *registers = virtio_mmio_registers(device);
    registers[QUEUE_SELECT] = index;
    return registers[QUEUE_SIZE_MAX];
}

static void virtio_mmio_write64(volatile uint32_t *low, uint64_t value)
{
    low[0] = (uint32_t)value;
    low[1] = (uint32_t)(value >> 32);
}

// Section 4.2.4: the whole queue is named by the number of its first page; the used ring starts on a page of
// its own.
static int virtio_mmio_queue_enable_legacy(volatile uint32_t *registers, const struct bm_virtqueue *queue)
{
    uint64_t page = bm_dma_address(queue->descriptors) / BM_PAGE_SIZE;
    if (registers[LEGACY_QUEUE_PAGE] != 0 || page > UINT32_MAX)
        return -BM_EIO;
    registers[LEGACY_PAGE_SIZE] = BM_PAGE_SIZE;
    registers[QUEUE_SIZE] = queue->size;
    registers[LEGACY_QUEUE_ALIGN] = BM_PAGE_SIZE;
    registers[LEGACY_QUEUE_PAGE] = (uint32_t)page;
    return registers[LEGACY_QUEUE_PAGE] == page ? 0 : -BM_EIO;
}

// Section 4.2.3.2: virtqueue configuration. The one interrupt serves all queues.
static int virtio_mmio_queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue,
                                    unsigned interrupt)
{
    (void)interrupt;
    volatile uint32_t *registers = virtio_mmio_registers(device);
    registers[QUEUE_SELECT] = queue->number;
    queue->doorbell = &registers[QUEUE_NOTIFY];
    if (device->legacy)
        return virtio_mmio_queue_enable_legacy(registers, queue);
    if (registers[QUEUE_READY] != 0)
        return -BM_EIO; // in use already
    registers[QUEUE_SIZE] = queue->size;
    virtio_mmio_write64(&registers[QUEUE_DESCRIPTORS], bm_dma_address(queue->descriptors));
    virtio_mmio_write64(&registers[QUEUE_DRIVER], bm_dma_address(queue->available));
    virtio_mmio_write64(&registers[QUEUE_DEVICE], bm_dma_address(queue->used));
    registers[QUEUE_READY] = 1;
    return registers[QUEUE_READY] == 1 ? 0 : -BM_EIO;
}

// Section 4.2.3.3: without NOTIFICATION_DATA, the queue's number is written.
static void virtio_mmio_notify(struct bm_virtqueue *queue)
{
    *(volatile uint32_t *)queue->doorbell = queue->number;
}

// Runs as an interrupt handler (section 4.2.3.4). On a line of edges nothing comes until the device has let
// go of it: what arrives between look and acknowledgement is looked for again.
static void virtio_mmio_interrupt(void *arg)
{
    enum { LOOKS_MAX = 4 };
    struct virtio_mmio *self = arg;
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        uint32_t pending = self->registers[INTERRUPT_STATUS] & (INTERRUPT_QUEUE | INTERRUPT_CONFIG);
        if (!pending)
            return;
        self->registers[INTERRUPT_ACKNOWLEDGE] = pending;
        if (pending & INTERRUPT_CONFIG && self->config_changed)
            atomic_store_explicit(self->config_changed, true, memory_order_relaxed);
        if (self->place.level)
            return; // the line is still held, and interrupts again
    }
}

static int virtio_mmio_interrupt_start(struct bm_virtio_device *device, unsigned max)
{
    struct virtio_mmio *self = virtio_mmio_of(device);
    const struct virtio_mmio_place *place = &self->place;
    if (!place->wired || max == 0)
        return -BM_ENODEV;
    self->vector = bm_interrupt_allocate(virtio_mmio_interrupt, self);
    if (self->vector < 0)
        return self->vector;
    int error = place->isa
                    ? bm_interrupt_route_isa(place->interrupt, self->vector)
                    : bm_interrupt_route(place->interrupt, place->level, place->active_low, self->vector);
    if (error) {
        bm_interrupt_free(self->vector);
        return error;
    }
    return 1;
}

// There is one interrupt, of configuration and queues alike.
static int virtio_mmio_interrupt_set(struct bm_virtio_device *device, unsigned index, atomic_bool *flag)
{
    if (index != 0)
        return -BM_EINVAL;
    virtio_mmio_of(device)->config_changed = flag;
    return 0;
}

static int virtio_mmio_interrupt_aim(struct bm_virtio_device *device, unsigned index, unsigned core)
{
    (void)index;
    return bm_interrupt_route_aim(virtio_mmio_of(device)->vector, core);
}

static int virtio_mmio_config_interrupt(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    return index == 0 ? 0 : -BM_EINVAL;
}

const struct bm_virtio_transport bm_virtio_mmio_transport = {
    .status_get = virtio_mmio_status_get,
    .status_set = virtio_mmio_status_set,
    .features_get = virtio_mmio_features_get,
    .features_set = virtio_mmio_features_set,
    .config_read = virtio_mmio_config_read,
    .config_generation = virtio_mmio_config_generation,
    .queue_size = virtio_mmio_queue_size,
    .queue_enable = virtio_mmio_queue_enable,
    .notify = virtio_mmio_notify,
    .interrupt_start = virtio_mmio_interrupt_start,
    .interrupt_set = virtio_mmio_interrupt_set,
    .interrupt_aim = virtio_mmio_interrupt_aim,
    .config_interrupt = virtio_mmio_config_interrupt,
};

// Whether the registers are those of a device (section 4.2.2, steps of 4.2.3.1.1); NULL in *wrong: there is
// none, which is no error.
static bool virtio_mmio_check(volatile uint32_t *registers, const char **wrong)
{
    *wrong = NULL;
    if (registers[MAGIC] != MAGIC_VALUE)
        *wrong = "has not the registers of a virtio device";
    else if (registers[VERSION] != VERSION_LEGACY && registers[VERSION] != VERSION_MODERN)
        *wrong = "has a version that is not known";
    else
        return registers[DEVICE_ID] != 0; // 0: a place without a device
    return false;
}

void bm_virtio_mmio_add(const struct virtio_mmio_place *place)
{
    const char *wrong = "claims to be in RAM";
    volatile uint32_t *registers = NULL;
    size_t size = place->size < BM_PAGE_SIZE ? place->size : BM_PAGE_SIZE;
    if (!bm_device_is_ram(place->base, size)) {
        wrong = "cannot be mapped: out of memory";
        registers = (volatile uint32_t *)bm_memory_map_device(place->base, size,
                                                              BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    }
    bool there = registers && virtio_mmio_check(registers, &wrong);
    struct virtio_mmio *self = there ? bm_memory_permanent(sizeof *self, _Alignof(struct virtio_mmio)) : NULL;
    if (there && !self)
        wrong = "cannot be used: out of memory";
    if (!self) {
        if (registers)
            bm_memory_unmap_device(registers, size);
        if (wrong)
            bm_log_error("virtio_mmio", "the device at %lx %s", place->base, wrong);
        return;
    }
    self->registers = registers;
    self->place = *place;
    self->config_length = (uint32_t)(size - CONFIG);
    self->virtio.transport = &bm_virtio_mmio_transport;
    self->virtio.legacy = registers[VERSION] == VERSION_LEGACY;
    struct bm_device *device = &self->virtio.device;
    device->bus = BM_BUS_VIRTIO;
    device->vendor = (uint16_t)registers[VENDOR_ID];
    uint32_t type = registers[DEVICE_ID];
    device->device = type < BM_ID_ANY ? (uint16_t)type : 0;
    bm_format(device->name, sizeof device->name, "virtio %lx", place->base);
    bm_device_add(device);
}
