// PCI and PCI Express: what the driver of a PCI device uses.
// SPDX-License-Identifier: MIT
//
// The bus (CMake target baremetal::pci) finds the devices at boot and adds each to the registry as a struct
// bm_pci_device. Nothing of a device is touched before its driver asks: a device without a driver stays as
// the firmware left it. Unless a function says otherwise it is for the driver that has the device, on any
// core, one core at a time per device, not in handlers. Sections without a name are those of the PCI Local
// Bus Specification 3.0. Errors are negative values of <baremetal/error.h>.
#pragma once

#include <baremetal/assert.h>
#include <baremetal/device.h>
#include <baremetal/interrupt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BM_PCI_BARS = 6,           // base address registers of a device
    BM_PCI_MSIX_MAX = 2048,    // entries of a device's MSI-X table (section 6.8.2.3)
    BM_PCI_INTERRUPTS_MAX = 64 // that a device may use: as many vectors as all devices have
};

// Offsets in the configuration space (section 6.1).
enum bm_pci_register {
    BM_PCI_VENDOR = 0x00,
    BM_PCI_DEVICE = 0x02,
    BM_PCI_COMMAND = 0x04,
    BM_PCI_STATUS = 0x06,
    BM_PCI_REVISION = 0x08,
    BM_PCI_HEADER_TYPE = 0x0e,
    BM_PCI_BAR0 = 0x10,
    BM_PCI_SECONDARY_BUS = 0x19,   // bridges
    BM_PCI_SUBORDINATE_BUS = 0x1a, // bridges
    BM_PCI_SUBSYSTEM_VENDOR = 0x2c,
    BM_PCI_SUBSYSTEM = 0x2e,
    BM_PCI_CAPABILITIES = 0x34
};

// Bits of the command register (section 6.2.2).
enum bm_pci_command {
    BM_PCI_COMMAND_IO = 1 << 0,
    BM_PCI_COMMAND_MEMORY = 1 << 1,
    BM_PCI_COMMAND_MASTER = 1 << 2,
    BM_PCI_COMMAND_NO_INTX = 1 << 10
};

// Capability identifiers (PCI Code and ID Assignment Specification).
enum bm_pci_capability {
    BM_PCI_CAP_MSI = 0x05,
    BM_PCI_CAP_VENDOR = 0x09,
    BM_PCI_CAP_EXPRESS = 0x10,
    BM_PCI_CAP_MSIX = 0x11
};

// How a set of buses is reached: memory (PCI Express ECAM), I/O ports, or a test's array. `function` is
// device number * 8 + function. Sizes are 1, 2 or 4, offsets multiples of the size. Any core, not in
// handlers.
struct bm_pci_host {
    // Reads or writes the configuration space.
    uint32_t (*read)(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                     unsigned size);
    void (*write)(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                  unsigned size, uint32_t value);
    uint64_t base;               // physical address of the ECAM window of bus 0
    uint16_t segment;            // PCI segment group
    uint8_t first_bus, last_bus; // that are reached so
};

// A base address register (section 6.2.5.1), decoded and sized.
struct bm_pci_bar {
    uint64_t base; // bus address; 0 when the firmware assigned none
    uint64_t size; // bytes, a power of two; 0: the register is not there
    bool io, prefetchable, wide;
};

// A device or bridge on a PCI bus.
struct bm_pci_device {
    struct bm_device device;             // first: the registry's view, with vendor, device and class code
    const struct bm_pci_host *host;      // by which it is reached
    uint8_t bus, function;               // where it is, as in struct bm_pci_host
    uint8_t header_type;                 // 0: device, 1: bridge
    uint8_t bars_known;                  // bit i: bars[i] has been read
    struct bm_pci_bar bars[BM_PCI_BARS]; // read by bm_pci_bar_get
    // Of pci_interrupt.c:
    volatile uint32_t *msix_table;
    uint16_t msix, msi; // offsets of the capabilities in use
    uint16_t interrupt_count;
    uint8_t vectors[BM_PCI_INTERRUPTS_MAX]; // of each interrupt that is set
};

// The PCI device that a device of the bus BM_BUS_PCI is part of.
static inline struct bm_pci_device *bm_pci_device_of(struct bm_device *device)
{
    return (struct bm_pci_device *)device;
}

// Configuration space. Offsets beyond what the host reaches (256 bytes by ports) read as all ones; writes
// there are lost.
static inline uint32_t bm_pci_read32(const struct bm_pci_device *device, unsigned offset)
{
    BM_ASSERT_HERE(offset % 4 == 0, "an offset must be a multiple of the size");
    return device->host->read(device->host, device->bus, device->function, offset, 4);
}
static inline uint16_t bm_pci_read16(const struct bm_pci_device *device, unsigned offset)
{
    BM_ASSERT_HERE(offset % 2 == 0, "an offset must be a multiple of the size");
    return (uint16_t)device->host->read(device->host, device->bus, device->function, offset, 2);
}
static inline uint8_t bm_pci_read8(const struct bm_pci_device *device, unsigned offset)
{
    return (uint8_t)device->host->read(device->host, device->bus, device->function, offset, 1);
}
static inline void bm_pci_write32(const struct bm_pci_device *device, unsigned offset, uint32_t value)
{
    BM_ASSERT_HERE(offset % 4 == 0, "an offset must be a multiple of the size");
    device->host->write(device->host, device->bus, device->function, offset, 4, value);
}
static inline void bm_pci_write16(const struct bm_pci_device *device, unsigned offset, uint16_t value)
{
    BM_ASSERT_HERE(offset % 2 == 0, "an offset must be a multiple of the size");
    device->host->write(device->host, device->bus, device->function, offset, 2, value);
}
static inline void bm_pci_write8(const struct bm_pci_device *device, unsigned offset, uint8_t value)
{
    device->host->write(device->host, device->bus, device->function, offset, 1, value);
}

// The offset of the first capability `id` behind the one at `after` (0: from the start), or 0 when there is
// none. A list that loops or leaves the configuration space ends there. (Section 6.7.)
unsigned bm_pci_capability_find(const struct bm_pci_device *device, uint8_t id, unsigned after);

// Reads and sizes base address register `index` (0 … 5) into bar. Returns 0; -BM_ENOENT when it is not there
// or is the upper half of a 64-bit one; -BM_EINVAL when what it says cannot be. The device does not decode
// addresses during the call.
int bm_pci_bar_get(struct bm_pci_device *device, unsigned index, struct bm_pci_bar *bar);

// Maps length bytes at `offset` of memory register `index`, uncached and writable. Returns NULL, with a line
// in the log that says why, when they do not lie in it, when the firmware assigned no address, when the
// address is RAM, or when memory is short.
volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length);

// Lets the device decode its memory and be bus master (DMA, MSI), with its interrupt line off; and takes that
// away again.
void bm_pci_enable(struct bm_pci_device *device);
void bm_pci_disable(struct bm_pci_device *device);

// Prepares interrupts by message: MSI-X, or one MSI. Returns how many of the `max` wanted can be had, at
// least 1; -BM_ENODEV when the device has neither (interrupt lines are not supported: such a device has to be
// polled). To be called after bm_pci_enable, once.
int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max);

// Lets interrupt `index` (0 … what bm_pci_interrupt_start returned, less 1) call handler(arg) on core 0
// (NULL: only wake it), and unmasks it. Returns 0, -BM_EINVAL for a wrong index, or -BM_ENOSPC when all
// vectors are taken.
int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg);

// Aims an interrupt that is set at another core, as often as wanted. What comes meanwhile is raised on the
// one or the other. Returns 0, or -BM_EINVAL for an index that is not set, a core that does not run, or one
// that no message reaches.
int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core);

// Lets the device's interrupt line, which others may share, call handler(arg) on core 0. The handler asks its
// device whether it was that one, and acknowledges, or the line stays raised. Returns 0, -BM_ENODEV when the
// firmware says of no line, or -BM_ENOSPC when no vector or no input of an interrupt controller is left for
// it. What the firmware says need not be so: until a first interrupt has come, the device has to be polled,
// too. To be called after bm_pci_enable, instead of bm_pci_interrupt_start, once.
int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg);

// Aims the line at another core. Returns 0; -BM_EBUSY when others share it; -BM_EINVAL when none is set, the
// core does not run, or no message reaches it.
int bm_pci_line_aim(struct bm_pci_device *device, unsigned core);

#ifdef __cplusplus
}
#endif
