// The virtio transport over PCI: a PCI driver that adds a virtio device to the registry.
// SPDX-License-Identifier: MIT
//
// QEMU: -device virtio-net-pci, -device virtio-rng-pci and so on; `disable-legacy=on` shows the modern device
// numbers, the default on a root bus the transitional ones. `disable-modern=on` makes a legacy device, which
// is for virtio_legacy.
//
// Section numbers are those of the VIRTIO specification, version 1.2.
#include "virtio_config.h"
#include "virtio_line.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/pci.h>
#include <baremetal/virtio.h>

// The common configuration (section 4.1.4.3).
struct virtio_pci_common {
    uint32_t device_feature_select, device_feature;
    uint32_t driver_feature_select, driver_feature;
    uint16_t config_msix_vector;
    uint16_t num_queues;
    uint8_t device_status;
    uint8_t config_generation;
    uint16_t queue_select;
    uint16_t queue_size;
    uint16_t queue_msix_vector;
    uint16_t queue_enable;
    uint16_t queue_notify_off;
    uint32_t queue_desc[2], queue_driver[2], queue_device[2];
};
_Static_assert(sizeof(struct virtio_pci_common) == 56, "registers are where the specification puts them");

// A structure that a vendor capability points to (section 4.1.4).
struct virtio_pci_structure {
    unsigned capability; // offset of the capability
    uint32_t length;     // bytes that are mapped
};

struct virtio_pci {
    struct bm_virtio_device virtio; // first
    struct bm_pci_device *pci;
    volatile struct virtio_pci_common *common;
    volatile uint8_t *notify;
    volatile uint8_t *config;
    uint32_t notify_length, notify_multiplier, config_length;
};

static struct virtio_pci *virtio_pci_of(struct bm_virtio_device *device)
{
    return (struct virtio_pci *)device;
}

static uint8_t virtio_pci_status_get(struct bm_virtio_device *device)
{
    return virtio_pci_of(device)->common->device_status;
}

static void virtio_pci_status_set(struct bm_virtio_device *device, uint8_t status)
{
    virtio_pci_of(device)->common->device_status = status;
}

static uint64_t virtio_pci_features_get(struct bm_virtio_device *device)
{
    volatile struct virtio_pci_common *common = virtio_pci_of(device)->common;
    common->device_feature_select = 0;
    uint64_t features = common->device_feature;
    common->device_feature_select = 1;
    return features | (uint64_t)common->device_feature << 32;
}

static void virtio_pci_features_set(struct bm_virtio_device *device, uint64_t features)
{
    volatile struct virtio_pci_common *common = virtio_pci_of(device)->common;
    common->driver_feature_select = 0;
    common->driver_feature = (uint32_t)features;
    common->driver_feature_select = 1;
    common->driver_feature = (uint32_t)(features >> 32);
}

static uint32_t virtio_pci_config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    struct virtio_pci *self = virtio_pci_of(device);
    if (offset + size > self->config_length)
        return 0xffffffff >> (32 - 8 * size);
    volatile uint8_t *field = self->config + offset;
    return size == 4 ? *(volatile uint32_t *)field : size == 2 ? *(volatile uint16_t *)field : *field;
}

void bm_virtio_pci_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size,
                                uint32_t value)
{
    struct virtio_pci *self = virtio_pci_of(device);
    if (offset + size <= self->config_length)
        bm_virtio_field_write(self->config + offset, size, value);
}

static uint32_t virtio_pci_config_generation(struct bm_virtio_device *device)
{
    return virtio_pci_of(device)->common->config_generation;
}

static unsigned virtio_pci_queue_size(struct bm_virtio_device *device, unsigned index)
{
    volatile struct virtio_pci_common *common = virtio_pci_of(device)->common;
    if (index >= common->num_queues)
        return 0;
    common->queue_select = (uint16_t)index;
    return common->queue_size;
}

static void virtio_pci_write64(volatile uint32_t halves[2], uint64_t value)
{
    halves[0] = (uint32_t)value;
    halves[1] = (uint32_t)(value >> 32);
}

// Section 4.1.5.1.3: virtqueue configuration.
static int virtio_pci_queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue,
                                   unsigned interrupt)
{
    struct virtio_pci *self = virtio_pci_of(device);
    volatile struct virtio_pci_common *common = self->common;
    common->queue_select = queue->number;
    common->queue_size = queue->size;
    virtio_pci_write64(common->queue_desc, bm_dma_address(queue->descriptors));
    virtio_pci_write64(common->queue_driver, bm_dma_address(queue->available));
    virtio_pci_write64(common->queue_device, bm_dma_address(queue->used));
    // A device that cannot give the vector answers with NO_VECTOR (section 4.1.5.1.2).
    if (device->interrupts) {
        common->queue_msix_vector = (uint16_t)interrupt;
        if (common->queue_msix_vector != interrupt)
            return -BM_EIO;
    }
    // Section 4.1.4.4: the doorbell is at queue_notify_off times the multiplier, 2 bytes wide.
    uint64_t offset = (uint64_t)common->queue_notify_off * self->notify_multiplier;
    if (offset + 2 > self->notify_length || offset % 2)
        return -BM_EIO;
    queue->doorbell = self->notify + offset;
    common->queue_enable = 1;
    return 0;
}

// Section 4.1.5.2: without NOTIFICATION_DATA, the queue's number is written.
static void virtio_pci_notify(struct bm_virtqueue *queue)
{
    *(volatile uint16_t *)queue->doorbell = queue->number;
}

static int virtio_pci_interrupt_start(struct bm_virtio_device *device, unsigned max)
{
    struct bm_pci_device *pci = virtio_pci_of(device)->pci;
    int count = bm_pci_interrupt_start(pci, max);
    if (count > 0 && pci->msix)
        return count;
    // Virtio does not know MSI (section 4.1.2).
    if (bm_virtio_line_start && bm_virtio_line_start(device, pci) == 0)
        return 0;
    bm_log_warn(device->device.name, "gives no MSI-X interrupts (QEMU's -nic makes such devices; -netdev "
                                     "user,id=n -device virtio-net-pci,netdev=n makes one that has them)");
    return -BM_ENODEV;
}

// Runs as an interrupt handler.
static void virtio_pci_interrupt(void *flag)
{
    atomic_store_explicit((atomic_bool *)flag, true, memory_order_relaxed);
}

static int virtio_pci_interrupt_set(struct bm_virtio_device *device, unsigned index, atomic_bool *flag)
{
    return bm_pci_interrupt_set(virtio_pci_of(device)->pci, index, flag ? virtio_pci_interrupt : NULL, flag);
}

static int virtio_pci_interrupt_aim(struct bm_virtio_device *device, unsigned index, unsigned core)
{
    return bm_pci_interrupt_aim(virtio_pci_of(device)->pci, index, core);
}

static int virtio_pci_config_interrupt(struct bm_virtio_device *device, unsigned index)
{
    volatile struct virtio_pci_common *common = virtio_pci_of(device)->common;
    common->config_msix_vector = (uint16_t)index;
    return common->config_msix_vector == index ? 0 : -BM_EIO;
}

const struct bm_virtio_transport bm_virtio_pci_transport = {
    .status_get = virtio_pci_status_get,
    .status_set = virtio_pci_status_set,
    .features_get = virtio_pci_features_get,
    .features_set = virtio_pci_features_set,
    .config_read = virtio_pci_config_read,
    .config_generation = virtio_pci_config_generation,
    .queue_size = virtio_pci_queue_size,
    .queue_enable = virtio_pci_queue_enable,
    .notify = virtio_pci_notify,
    .interrupt_start = virtio_pci_interrupt_start,
    .interrupt_set = virtio_pci_interrupt_set,
    .interrupt_aim = virtio_pci_interrupt_aim,
    .config_interrupt = virtio_pci_config_interrupt,
};

// The `size` bytes long capability at `at`, if it is one of that type in memory that exists, with at least
// `min` bytes; NULL otherwise. Of the structure at most `max` bytes are used.
static volatile void *virtio_pci_map(struct bm_pci_device *pci, unsigned at, uint8_t type, unsigned size,
                                     uint32_t min, uint32_t max, struct virtio_pci_structure *found)
{
    enum { LENGTH = 2, TYPE = 3, BAR = 4, OFFSET = 8, SIZE = 12 };
    struct bm_pci_bar bar;
    if (at > 256 - size || bm_pci_read8(pci, at + LENGTH) < size || bm_pci_read8(pci, at + TYPE) != type)
        return NULL;
    unsigned index = bm_pci_read8(pci, at + BAR);
    uint32_t offset = bm_pci_read32(pci, at + OFFSET), length = bm_pci_read32(pci, at + SIZE);
    // The doorbell may have one in I/O ports, too, in front of the one in memory.
    if (bm_pci_bar_get(pci, index, &bar) || bar.io || length < min || offset % 4)
        return NULL;
    *found = (struct virtio_pci_structure){.capability = at, .length = length < max ? length : max};
    return bm_pci_bar_map(pci, index, offset, found->length);
}

// Finds and maps the first structure of that type that can be used: capabilities of other types and with
// values that are reserved or unknown are passed over (section 4.1.4). NULL: there is none such.
static volatile void *virtio_pci_find(struct bm_pci_device *pci, uint8_t type, unsigned size, uint32_t min,
                                      uint32_t max, struct virtio_pci_structure *found)
{
    enum { CAPABILITIES_MAX = 48 }; // as many as fit: a list that is longer is a loop
    volatile void *registers = NULL;
    unsigned at = 0;
    for (unsigned i = 0; i < CAPABILITIES_MAX && !registers; i++) {
        at = bm_pci_capability_find(pci, BM_PCI_CAP_VENDOR, at);
        if (!at)
            break;
        registers = virtio_pci_map(pci, at, type, size, min, max, found);
    }
    return registers;
}

// The structures of the modern interface. Returns false when one is missing.
static bool virtio_pci_structures(struct virtio_pci *self)
{
    enum { COMMON = 1, NOTIFY = 2, DEVICE = 4 };
    enum { CAPABILITY = 16, NOTIFY_CAPABILITY = 20, NOTIFY_MULTIPLIER = 16 };
    enum { NOTIFY_MAX = 1 << 20, CONFIG_MAX = 4096 };
    struct virtio_pci_structure found;
    self->common =
        virtio_pci_find(self->pci, COMMON, CAPABILITY, sizeof *self->common, sizeof *self->common, &found);
    if (!self->common)
        return false;
    self->notify = virtio_pci_find(self->pci, NOTIFY, NOTIFY_CAPABILITY, 2, NOTIFY_MAX, &found);
    if (!self->notify)
        return false;
    self->notify_length = found.length;
    self->notify_multiplier = bm_pci_read32(self->pci, found.capability + NOTIFY_MULTIPLIER);
    // Only devices that have a configuration have this one.
    self->config = virtio_pci_find(self->pci, DEVICE, CAPABILITY, 1, CONFIG_MAX, &found);
    self->config_length = self->config ? found.length : 0;
    return true;
}

static int virtio_pci_attach(struct bm_device *device)
{
    enum { TRANSITIONAL_FIRST = 0x1000, MODERN_FIRST = 0x1040, MODERN_LAST = 0x107f };
    struct bm_pci_device *pci = bm_pci_device_of(device);
    if (device->device < TRANSITIONAL_FIRST || device->device > MODERN_LAST)
        return -BM_ENODEV;
    struct virtio_pci *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_pci));
    if (!self)
        return -BM_ENOMEM;
    self->pci = pci;
    self->virtio.transport = &bm_virtio_pci_transport;
    bm_pci_enable(pci);
    if (!virtio_pci_structures(self)) {
        bm_log_error(device->name,
                     "virtio device without the modern interface: link baremetal::virtio_legacy");
        bm_pci_disable(pci);
        return -BM_EINVAL;
    }
    // Section 4.1.2.1: the type is in the modern device number; a transitional device has it in the
    // subsystem's.
    struct bm_device *child = &self->virtio.device;
    child->bus = BM_BUS_VIRTIO;
    child->vendor = device->vendor;
    child->device =
        device->device >= MODERN_FIRST ? device->device - MODERN_FIRST : bm_pci_read16(pci, BM_PCI_SUBSYSTEM);
    bm_format(child->name, sizeof child->name, "virtio %s", device->name + 4);
    bm_device_add(child);
    return 0;
}

static const struct bm_device_id virtio_pci_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x1af4, .device = BM_ID_ANY},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_pci) = {.name = "virtio_pci", .ids = virtio_pci_ids, .attach = virtio_pci_attach};
