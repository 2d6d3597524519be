// The virtio transport over PCI of before virtio 1.0: registers in I/O ports.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device virtio-net-pci,disable-modern=on,disable-legacy=off and so on; what clouds and hypervisors of
// before 2015 show. A device that has the modern interface, too, is left to virtio_pci.
//
// Section numbers are those of the VIRTIO specification, version 1.2: the registers are in 4.1.4.8.
#include "../virtio_config.h"
#include "../virtio_line.h"

#include <baremetal/cpu.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/pci.h>
#include <baremetal/virtio.h>

// Registers by their offset from the first port. Those of MSI-X are there as long as it is switched on: the
// device's configuration moves behind them then.
enum {
    DEVICE_FEATURES = 0,
    DRIVER_FEATURES = 4,
    QUEUE_PAGE = 8,
    QUEUE_SIZE = 12,
    QUEUE_SELECT = 14,
    QUEUE_NOTIFY = 16,
    STATUS = 18,
    CONFIG_VECTOR = 20,
    QUEUE_VECTOR = 22,
    CONFIG = 20,
    CONFIG_BEHIND_MSIX = 24
};

struct virtio_legacy {
    struct bm_virtio_device virtio; // first
    struct bm_pci_device *pci;
    uint16_t ports;         // the first one
    uint16_t config_length; // at most, wherever the configuration is
};

#ifdef BM_HOST_TEST
// As below, of a test on the host.
uint32_t virtio_legacy_in(const struct virtio_legacy *self, unsigned offset, unsigned size);
void virtio_legacy_out(const struct virtio_legacy *self, unsigned offset, unsigned size, uint32_t value);
#else
static uint32_t virtio_legacy_in(const struct virtio_legacy *self, unsigned offset, unsigned size)
{
    uint16_t port = (uint16_t)(self->ports + offset);
    return size == 4 ? bm_port_in32(port) : size == 2 ? bm_port_in16(port) : bm_port_in8(port);
}

static void virtio_legacy_out(const struct virtio_legacy *self, unsigned offset, unsigned size,
                              uint32_t value)
{
    uint16_t port = (uint16_t)(self->ports + offset);
    if (size == 4)
        bm_port_out32(port, value);
    else if (size == 2)
        bm_port_out16(port, (uint16_t)value);
    else
        bm_port_out8(port, (uint8_t)value);
}
#endif

static struct virtio_legacy *virtio_legacy_of(struct bm_virtio_device *device)
{
    return (struct virtio_legacy *)device;
}

static uint8_t virtio_legacy_status_get(struct bm_virtio_device *device)
{
    return (uint8_t)virtio_legacy_in(virtio_legacy_of(device), STATUS, 1);
}

static void virtio_legacy_status_set(struct bm_virtio_device *device, uint8_t status)
{
    virtio_legacy_out(virtio_legacy_of(device), STATUS, 1, status);
}

// There are 32 feature bits. Drivers see VERSION_1 all the same: what differs is said by device->legacy.
static uint64_t virtio_legacy_features_get(struct bm_virtio_device *device)
{
    return virtio_legacy_in(virtio_legacy_of(device), DEVICE_FEATURES, 4) | BM_VIRTIO_F_VERSION_1;
}

static void virtio_legacy_features_set(struct bm_virtio_device *device, uint64_t features)
{
    virtio_legacy_out(virtio_legacy_of(device), DRIVER_FEATURES, 4, (uint32_t)features);
}

static uint32_t virtio_legacy_config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    const struct virtio_legacy *self = virtio_legacy_of(device);
    if (offset + size > self->config_length)
        return 0xffffffff >> (32 - 8 * size);
    return virtio_legacy_in(self, (self->pci->msix ? CONFIG_BEHIND_MSIX : CONFIG) + offset, size);
}

void bm_virtio_legacy_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size,
                                   uint32_t value)
{
    const struct virtio_legacy *self = virtio_legacy_of(device);
    if (offset + size <= self->config_length)
        virtio_legacy_out(self, (self->pci->msix ? CONFIG_BEHIND_MSIX : CONFIG) + offset, size, value);
}

// There is none: a sum of the first words, which are those of all fields that change, changes with them
// (section 2.5.4: a driver reads until it has read the same twice).
static uint32_t virtio_legacy_config_generation(struct bm_virtio_device *device)
{
    enum { WORDS = 3, FACTOR = 16777619 };
    uint32_t sum = 0;
    for (unsigned i = 0; i < WORDS; i++)
        sum = (sum ^ virtio_legacy_config_read(device, 4 * i, 4)) * FACTOR;
    return sum;
}

static unsigned virtio_legacy_queue_size(struct bm_virtio_device *device, unsigned index)
{
    const struct virtio_legacy *self = virtio_legacy_of(device);
    virtio_legacy_out(self, QUEUE_SELECT, 2, index);
    return virtio_legacy_in(self, QUEUE_SIZE, 2);
}

// Section 4.1.5.1.3.1: the whole queue, which has the size that the device says, is named by the number of
// its first page.
static int virtio_legacy_queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue,
                                      unsigned interrupt)
{
    const struct virtio_legacy *self = virtio_legacy_of(device);
    uint64_t page = bm_dma_address(queue->descriptors) / BM_PAGE_SIZE;
    if (virtio_legacy_queue_size(device, queue->number) != queue->size) {
        bm_log_error(device->device.name, "queue %u has more than %u descriptors, or no power of two",
                     queue->number, (unsigned)BM_VIRTQUEUE_SIZE_MAX);
        return -BM_EIO;
    }
    if (virtio_legacy_in(self, QUEUE_PAGE, 4) != 0 || page > UINT32_MAX)
        return -BM_EIO; // in use already, or out of the register's reach
    // A device that cannot give the vector answers with NO_VECTOR (section 4.1.5.1.2).
    if (device->interrupts) {
        virtio_legacy_out(self, QUEUE_VECTOR, 2, interrupt);
        if (virtio_legacy_in(self, QUEUE_VECTOR, 2) != interrupt)
            return -BM_EIO;
    }
    virtio_legacy_out(self, QUEUE_PAGE, 4, (uint32_t)page);
    return virtio_legacy_in(self, QUEUE_PAGE, 4) == page ? 0 : -BM_EIO;
}

static void virtio_legacy_notify(struct bm_virtqueue *queue)
{
    virtio_legacy_out(virtio_legacy_of(queue->device), QUEUE_NOTIFY, 2, queue->number);
}

static int virtio_legacy_interrupt_start(struct bm_virtio_device *device, unsigned max)
{
    struct bm_pci_device *pci = virtio_legacy_of(device)->pci;
    int count = bm_pci_interrupt_start(pci, max);
    if (count > 0 && pci->msix)
        return count;
    // Virtio does not know MSI (section 4.1.2).
    return bm_virtio_line_start && bm_virtio_line_start(device, pci) == 0 ? 0 : -BM_ENODEV;
}

// Runs as an interrupt handler.
static void virtio_legacy_interrupt(void *flag)
{
    atomic_store_explicit((atomic_bool *)flag, true, memory_order_relaxed);
}

static int virtio_legacy_interrupt_set(struct bm_virtio_device *device, unsigned index, atomic_bool *flag)
{
    return bm_pci_interrupt_set(virtio_legacy_of(device)->pci, index, flag ? virtio_legacy_interrupt : NULL,
                                flag);
}

static int virtio_legacy_interrupt_aim(struct bm_virtio_device *device, unsigned index, unsigned core)
{
    return bm_pci_interrupt_aim(virtio_legacy_of(device)->pci, index, core);
}

static int virtio_legacy_config_interrupt(struct bm_virtio_device *device, unsigned index)
{
    const struct virtio_legacy *self = virtio_legacy_of(device);
    virtio_legacy_out(self, CONFIG_VECTOR, 2, index);
    return virtio_legacy_in(self, CONFIG_VECTOR, 2) == index ? 0 : -BM_EIO;
}

const struct bm_virtio_transport bm_virtio_legacy_transport = {
    .status_get = virtio_legacy_status_get,
    .status_set = virtio_legacy_status_set,
    .features_get = virtio_legacy_features_get,
    .features_set = virtio_legacy_features_set,
    .config_read = virtio_legacy_config_read,
    .config_generation = virtio_legacy_config_generation,
    .queue_size = virtio_legacy_queue_size,
    .queue_enable = virtio_legacy_queue_enable,
    .notify = virtio_legacy_notify,
    .interrupt_start = virtio_legacy_interrupt_start,
    .interrupt_set = virtio_legacy_interrupt_set,
    .interrupt_aim = virtio_legacy_interrupt_aim,
    .config_interrupt = virtio_legacy_config_interrupt,
};

// Whether the device says that it has the modern interface, usable or not (section 4.1.4): each boot asks
// each device, so that one read tells all of a capability.
static bool is_modern(const struct bm_pci_device *pci)
{
    enum { STATUS_CAPABILITIES = 1 << 4, FIRST = 0x40, COMMON = 1 };
    enum { CAPABILITIES_MAX = (256 - FIRST) / 4 }; // as many as fit: a list that is longer is a loop
    if (!(bm_pci_read16(pci, BM_PCI_STATUS) & STATUS_CAPABILITIES))
        return false;
    unsigned at = bm_pci_read8(pci, BM_PCI_CAPABILITIES) & ~3u;
    for (unsigned i = 0; i < CAPABILITIES_MAX && at >= FIRST; i++) {
        uint32_t head = bm_pci_read32(pci, at); // identifier, next, length, type
        if ((head & 0xff) == BM_PCI_CAP_VENDOR && head >> 24 == COMMON)
            return true;
        at = head >> 8 & 0xfc;
    }
    return false;
}

// The ports of the first base address register. Returns false when they cannot be used.
static bool virtio_legacy_ports(struct virtio_legacy *self)
{
    enum { PORTS = 1 << 16, CONFIG_MAX = 4096 };
    struct bm_pci_bar bar;
    if (bm_pci_bar_get(self->pci, 0, &bar) || !bar.io || bar.size < CONFIG_BEHIND_MSIX || bar.base == 0 ||
        bar.size > PORTS || bar.base > PORTS - bar.size)
        return false;
    self->ports = (uint16_t)bar.base;
    uint64_t length = bar.size - CONFIG_BEHIND_MSIX;
    self->config_length = length < CONFIG_MAX ? (uint16_t)length : CONFIG_MAX;
    return true;
}

// Section 4.1.2.3: a transitional device number, revision 0, its type in the subsystem's number.
static int virtio_legacy_attach(struct bm_device *device)
{
    enum { FIRST = 0x1000, LAST = 0x103f };
    struct bm_pci_device *pci = bm_pci_device_of(device);
    if (device->device < FIRST || device->device > LAST || bm_pci_read8(pci, BM_PCI_REVISION) != 0 ||
        is_modern(pci))
        return -BM_ENODEV;
    struct virtio_legacy *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_legacy));
    if (!self)
        return -BM_ENOMEM;
    self->pci = pci;
    if (!virtio_legacy_ports(self)) {
        bm_log_error(device->name, "virtio device before 1.0 without usable I/O ports");
        return -BM_EINVAL;
    }
    bm_pci_enable(pci);
    bm_pci_write16(pci, BM_PCI_COMMAND, bm_pci_read16(pci, BM_PCI_COMMAND) | BM_PCI_COMMAND_IO);
    self->virtio.transport = &bm_virtio_legacy_transport;
    self->virtio.legacy = true;
    self->virtio.sizes_fixed = true;
    struct bm_device *child = &self->virtio.device;
    child->bus = BM_BUS_VIRTIO;
    child->vendor = device->vendor;
    child->device = bm_pci_read16(pci, BM_PCI_SUBSYSTEM);
    bm_format(child->name, sizeof child->name, "virtio %s", device->name + 4);
    bm_device_add(child);
    return 0;
}

static const struct bm_device_id virtio_legacy_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x1af4, .device = BM_ID_ANY},
    BM_DEVICE_ID_END,
};

// The registry offers devices in the order of names: this one is asked before virtio_pci.
BM_DRIVER(virtio_legacy) = {
    .name = "virtio_legacy", .ids = virtio_legacy_ids, .attach = virtio_legacy_attach};
