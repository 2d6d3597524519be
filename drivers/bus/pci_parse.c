// Reading PCI configuration space: bus walk, capabilities, base addresses. Devices may lie.
// SPDX-License-Identifier: MIT
// @optimize size
#include "pci_parse.h"

#include <baremetal/error.h>
#include <baremetal/log.h>

enum { HEADER_TYPE_MASK = 0x7f, HEADER_MULTIFUNCTION = 0x80, HEADER_BRIDGE = 1 };

unsigned bm_pci_capability_find(const struct bm_pci_device *device, uint8_t id, unsigned after)
{
    enum { STATUS_CAPABILITIES = 1 << 4, FIRST = 0x40, CAPABILITIES_MAX = (256 - FIRST) / 4 };
    unsigned offset;
    if (after)
        offset = bm_pci_read8(device, after + 1);
    else if (bm_pci_read16(device, BM_PCI_STATUS) & STATUS_CAPABILITIES)
        offset = bm_pci_read8(device, BM_PCI_CAPABILITIES);
    else
        return 0;
    // As many steps as capabilities fit: a list that is longer is a loop.
    for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
        offset &= ~3u;
        if (offset < FIRST)
            return 0;
        uint16_t header = bm_pci_read16(device, offset);
        if (header == 0xffff)
            return 0;
        if ((header & 0xff) == id)
            return offset;
        offset = header >> 8;
    }
    return 0;
}

// Writes all ones to a register and returns what stays: the address bits that the device decodes
// (section 6.2.5.1).
static uint32_t bm_pci_bar_probe(const struct bm_pci_device *device, unsigned offset)
{
    uint32_t saved = bm_pci_read32(device, offset);
    bm_pci_write32(device, offset, 0xffffffff);
    uint32_t probe = bm_pci_read32(device, offset);
    bm_pci_write32(device, offset, saved);
    return probe;
}

// Decodes a register from its value and its probe, both with the upper half of a wide one in the upper 32
// bits.
static int bm_pci_bar_decode(uint64_t value, uint64_t probe, struct bm_pci_bar *bar)
{
    uint64_t mask = bar->io ? ~3ull : ~15ull;
    uint64_t decoded = probe & mask;
    if (decoded == 0)
        return -BM_ENOENT;
    // Devices may leave the upper half of an I/O address out; all bits from the size upwards count as
    // decoded.
    if (!bar->wide)
        decoded |= bar->io && !(probe >> 16 & 0xffff) ? 0xffffffffffff0000 : 0xffffffff00000000;
    bar->size = decoded & -decoded;
    bar->base = value & mask;
    if (~(decoded | (bar->size - 1)) != 0 || (bar->base & (bar->size - 1)) ||
        bar->base + bar->size - 1 < bar->base)
        return -BM_EINVAL;
    return 0;
}

static int bm_pci_bar_read(struct bm_pci_device *device, unsigned index, struct bm_pci_bar *bar)
{
    enum { IO = 1, TYPE = 3 << 1, TYPE_64 = 2 << 1, PREFETCHABLE = 1 << 3 };
    unsigned offset = BM_PCI_BAR0 + 4 * index;
    uint64_t value = bm_pci_read32(device, offset);
    *bar = (struct bm_pci_bar){.io = value & IO};
    bar->prefetchable = !bar->io && value & PREFETCHABLE;
    bar->wide = !bar->io && (value & TYPE) == TYPE_64;
    if (bar->wide && index + 1 >= (device->header_type == HEADER_BRIDGE ? 2u : BM_PCI_BARS))
        return -BM_EINVAL;
    // No address decoding while the register holds the probe's ones.
    uint16_t command = bm_pci_read16(device, BM_PCI_COMMAND);
    bm_pci_write16(device, BM_PCI_COMMAND, command & ~(BM_PCI_COMMAND_IO | BM_PCI_COMMAND_MEMORY));
    uint64_t probe = bm_pci_bar_probe(device, offset);
    if (bar->wide) {
        value |= (uint64_t)bm_pci_read32(device, offset + 4) << 32;
        probe |= (uint64_t)bm_pci_bar_probe(device, offset + 4) << 32;
    }
    bm_pci_write16(device, BM_PCI_COMMAND, command);
    return bm_pci_bar_decode(value, probe, bar);
}

// Whether register `index` is the upper half of the 64-bit register before it.
static bool bm_pci_bar_is_upper(struct bm_pci_device *device, unsigned index)
{
    bool upper = false;
    for (unsigned i = 0; i < index; i++)
        upper = !upper && (bm_pci_read32(device, BM_PCI_BAR0 + 4 * i) & 7) == 4;
    return upper;
}

int bm_pci_bar_get(struct bm_pci_device *device, unsigned index, struct bm_pci_bar *bar)
{
    unsigned registers = device->header_type == 0               ? BM_PCI_BARS
                         : device->header_type == HEADER_BRIDGE ? 2
                                                                : 0;
    *bar = (struct bm_pci_bar){0};
    if (index >= registers)
        return -BM_ENOENT;
    if (!(device->bars_known & 1 << index)) {
        int error = bm_pci_bar_is_upper(device, index) ? -BM_ENOENT
                                                       : bm_pci_bar_read(device, index, &device->bars[index]);
        if (error)
            device->bars[index] = (struct bm_pci_bar){0};
        if (error == -BM_EINVAL)
            return error;
        device->bars_known |= 1 << index;
    }
    *bar = device->bars[index];
    return bar->size ? 0 : -BM_ENOENT;
}

int bm_pci_msix_get(const struct bm_pci_device *device, struct bm_pci_msix *msix)
{
    msix->capability = bm_pci_capability_find(device, BM_PCI_CAP_MSIX, 0);
    if (!msix->capability || msix->capability > 256 - 12)
        return -BM_ENOENT;
    uint32_t table = bm_pci_read32(device, msix->capability + 4);
    msix->count = (bm_pci_read16(device, msix->capability + 2) & 0x7ff) + 1;
    msix->bar = table & 7;
    msix->offset = table & ~7u;
    return msix->bar < BM_PCI_BARS ? 0 : -BM_EINVAL;
}

// The state of a walk. Buses are visited in the order of their numbers; a bridge adds only higher ones, so
// none is visited twice.
struct bm_pci_walk {
    const struct bm_pci_host *host;
    uint8_t
        last[256]; // of a bus that is to be visited: the highest number that bridges on it may use; else 0
    uint8_t single[256]; // of such a bus: only device 0 can be on it (the other end of a PCI Express link)
    bool all_roots;      // look for more root buses
    void (*found)(const struct bm_pci_device *function, void *arg);
    void *arg;
    unsigned count;
};

// A bridge on `bus`: takes note of the bus behind it.
static void bm_pci_scan_bridge(struct bm_pci_walk *walk, const struct bm_pci_device *bridge)
{
    uint8_t secondary = bm_pci_read8(bridge, BM_PCI_SECONDARY_BUS);
    uint8_t subordinate = bm_pci_read8(bridge, BM_PCI_SUBORDINATE_BUS);
    if (secondary <= bridge->bus || subordinate < secondary || subordinate > walk->last[bridge->bus] ||
        walk->last[secondary]) {
        bm_log_warn(bridge->device.name,
                    "bridge to buses %u to %u, which cannot be: devices behind it are not seen", secondary,
                    subordinate);
        return;
    }
    walk->last[secondary] = subordinate;
    // Device/port type of root ports, downstream ports and PCI to PCI Express bridges (PCI Express 5.0
    // section 7.5.3.2).
    unsigned express = bm_pci_capability_find(bridge, BM_PCI_CAP_EXPRESS, 0);
    unsigned type = express ? bm_pci_read16(bridge, express + 2) >> 4 & 15 : 0;
    walk->single[secondary] = type == 4 || type == 6 || type == 8;
}

// One function, if it is there. Returns its header type register, 0 when there is no function.
static uint8_t bm_pci_scan_function(struct bm_pci_walk *walk, uint8_t bus, unsigned function)
{
    uint32_t id = walk->host->read(walk->host, bus, (uint8_t)function, BM_PCI_VENDOR, 4);
    if ((id & 0xffff) == 0xffff || id == 0)
        return 0;
    struct bm_pci_device found = {.host = walk->host, .bus = bus, .function = (uint8_t)function};
    uint8_t header = bm_pci_read8(&found, BM_PCI_HEADER_TYPE);
    found.header_type = header & HEADER_TYPE_MASK;
    found.device.bus = BM_BUS_PCI;
    found.device.vendor = id & 0xffff;
    found.device.device = id >> 16;
    found.device.class_code = bm_pci_read32(&found, BM_PCI_REVISION) >> 8;
    if (walk->host->segment)
        bm_format(found.device.name, sizeof found.device.name, "pci %x:%02x:%02x.%u", walk->host->segment,
                  bus, function >> 3, function & 7);
    else
        bm_format(found.device.name, sizeof found.device.name, "pci %02x:%02x.%u", bus, function >> 3,
                  function & 7);
    // QEMU's expander bridges: they make root buses that only the DSDT names.
    walk->all_roots |= id == 0x00091b36 || id == 0x000b1b36;
    walk->count++;
    walk->found(&found, walk->arg);
    if (found.header_type == HEADER_BRIDGE)
        bm_pci_scan_bridge(walk, &found);
    return header;
}

// Whether a bus to which no bridge leads is a root bus of its own: it then has a function 0 of device 0.
static bool bm_pci_scan_is_root(const struct bm_pci_walk *walk, uint8_t bus)
{
    return walk->all_roots && walk->host->read(walk->host, bus, 0, BM_PCI_VENDOR, 2) != 0xffff;
}

unsigned bm_pci_scan(const struct bm_pci_host *host, bool all_roots,
                     void (*found)(const struct bm_pci_device *function, void *arg), void *arg)
{
    struct bm_pci_walk walk = {.host = host, .all_roots = all_roots, .found = found, .arg = arg};
    for (unsigned bus = host->first_bus; bus <= host->last_bus; bus++) {
        if (bus == host->first_bus || (!walk.last[bus] && bm_pci_scan_is_root(&walk, (uint8_t)bus)))
            walk.last[bus] = host->last_bus;
        else if (!walk.last[bus])
            continue;
        for (unsigned device = 0; device < (walk.single[bus] ? 1 : 32); device++)
            if (bm_pci_scan_function(&walk, (uint8_t)bus, device * 8) & HEADER_MULTIFUNCTION)
                for (unsigned function = 1; function < 8; function++)
                    bm_pci_scan_function(&walk, (uint8_t)bus, device * 8 + function);
    }
    return walk.count;
}
