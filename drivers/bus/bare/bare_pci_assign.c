// Gives PCI functions addresses, over any struct bm_pci_host.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Section numbers are those of the PCI Local Bus Specification 3.0; "Bridge" is the PCI-to-PCI Bridge
// Architecture Specification 1.2.
#include "bare_pci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>

#include <stddef.h>

enum {
    HEADER_TYPE_MASK = 0x7f,
    HEADER_MULTIFUNCTION = 0x80,
    HEADER_BRIDGE = 1,
    PAGE = 4096,   // no two devices' registers share one
    DEPTH_MAX = 16 // bridges behind each other
};

// Of bridges (Bridge section 3.2.5).
enum { PRIMARY_BUS = 0x18, IO_BASE = 0x1c, MEMORY_BASE = 0x20, PREFETCH_BASE = 0x24, IO_BASE_HIGH = 0x30 };

struct assignment {
    const struct bm_pci_host *host;
    struct bare_pci_windows *windows;
    unsigned last_bus; // the highest number given
    unsigned depth;    // bridges in front of the bus
    unsigned count;    // of registers that got an address
};

// Reads who is there. Returns the header type register, or -1.
static int function_read(const struct bm_pci_host *host, unsigned bus, unsigned function,
                         struct bm_pci_device *found)
{
    *found = (struct bm_pci_device){.host = host, .bus = (uint8_t)bus, .function = (uint8_t)function};
    uint16_t vendor = bm_pci_read16(found, BM_PCI_VENDOR);
    if (vendor == 0xffff || vendor == 0)
        return -1;
    uint8_t header = bm_pci_read8(found, BM_PCI_HEADER_TYPE);
    found->header_type = header & HEADER_TYPE_MASK;
    return header;
}

// Calls look() for the functions of a bus, until it returns false. Returns whether it never did.
static bool bus_each(const struct bm_pci_host *host, unsigned bus, unsigned devices,
                     bool (*look)(struct bm_pci_device *function, void *arg), void *arg)
{
    struct bm_pci_device found;
    for (unsigned device = 0; device < devices; device++) {
        int header = function_read(host, bus, device * 8, &found);
        if (header < 0)
            continue;
        if (!look(&found, arg))
            return false;
        for (unsigned function = 1; header & HEADER_MULTIFUNCTION && function < 8; function++)
            if (function_read(host, bus, device * 8 + function, &found) >= 0 && !look(&found, arg))
                return false;
    }
    return true;
}

static unsigned bars_of(const struct bm_pci_device *device)
{
    return device->header_type == 0 ? BM_PCI_BARS : device->header_type == HEADER_BRIDGE ? 2 : 0;
}

static bool is_without_address(struct bm_pci_device *device, void *any)
{
    *(bool *)any = true;
    for (unsigned i = 0; i < bars_of(device); i++) {
        uint32_t value = bm_pci_read32(device, BM_PCI_BAR0 + 4 * i);
        if (value & (value & 1 ? ~3u : ~15u))
            return false;
    }
    return true;
}

bool bm_bare_pci_is_bare(const struct bm_pci_host *host)
{
    bool any = false;
    return bus_each(host, host->first_bus, 32, is_without_address, &any) && any;
}

// Section 6.2.5.1: an address is a multiple of the register's size.
static bool bar_assign(struct assignment *self, struct bm_pci_device *device, unsigned index,
                       const struct bm_pci_bar *bar)
{
    struct bare_pci_windows *windows = self->windows;
    uint64_t size = bar->io || bar->size >= PAGE ? bar->size : PAGE;
    uint64_t next = bar->io ? windows->ports : windows->memory;
    uint64_t end = bar->io ? windows->ports_end : windows->memory_end;
    if (next >= end || size > end || ((next + size - 1) & -size) > end - size)
        return false;
    next = (next + size - 1) & -size;
    bm_pci_write32(device, BM_PCI_BAR0 + 4 * index, (uint32_t)next);
    if (bar->wide)
        bm_pci_write32(device, BM_PCI_BAR0 + 4 * index + 4, (uint32_t)(next >> 32));
    if (bar->io)
        windows->ports = (uint32_t)(next + size);
    else
        windows->memory = next + size;
    return true;
}

static void bars_assign(struct assignment *self, struct bm_pci_device *device)
{
    struct bm_pci_bar bar;
    uint16_t command = bm_pci_read16(device, BM_PCI_COMMAND);
    bm_pci_write16(device, BM_PCI_COMMAND,
                   command & ~(BM_PCI_COMMAND_IO | BM_PCI_COMMAND_MEMORY | BM_PCI_COMMAND_MASTER));
    for (unsigned i = 0; i < bars_of(device); i++) {
        if (bm_pci_bar_get(device, i, &bar))
            continue;
        if (bar_assign(self, device, i, &bar))
            self->count++;
        else
            bm_log_warn("bare_pci", "no room for register %u of %02x:%02x.%u: %llx bytes of %s", i,
                        device->bus, device->function >> 3, device->function & 7u,
                        (unsigned long long)bar.size, bar.io ? "ports" : "memory");
    }
}

// What a bridge lets through (Bridge sections 3.2.5.6 to 3.2.5.10): the bases lie above the limits when that
// is nothing. Prefetchable memory goes the ordinary way.
static void bridge_open(const struct bm_pci_device *bridge, const struct bare_pci_windows *from,
                        const struct bare_pci_windows *to)
{
    uint32_t memory = 0x0000fff0;
    uint16_t ports = 0x00f0;
    if (to->memory > from->memory)
        memory = (uint32_t)(from->memory >> 16 & 0xfff0) | ((uint32_t)(to->memory - 1) & 0xfff00000);
    if (to->ports > from->ports)
        ports = (uint16_t)((from->ports >> 8 & 0xf0) | ((to->ports - 1) & 0xf000));
    bm_pci_write32(bridge, MEMORY_BASE, memory);
    bm_pci_write32(bridge, PREFETCH_BASE, 0x0000fff0);
    bm_pci_write16(bridge, IO_BASE, ports);
    bm_pci_write32(bridge, IO_BASE_HIGH, 0);
    bm_pci_write16(bridge, BM_PCI_COMMAND,
                   bm_pci_read16(bridge, BM_PCI_COMMAND) | BM_PCI_COMMAND_IO | BM_PCI_COMMAND_MEMORY |
                       BM_PCI_COMMAND_MASTER);
}

static void buses_set(const struct bm_pci_device *bridge, unsigned secondary, unsigned subordinate)
{
    uint32_t latency = bm_pci_read32(bridge, PRIMARY_BUS) & 0xff000000;
    bm_pci_write32(bridge, PRIMARY_BUS, latency | subordinate << 16 | secondary << 8 | bridge->bus);
}

static void bus_assign(struct assignment *self, unsigned bus, unsigned devices);

// Only device 0 can be at the other end of a PCI Express link (PCI Express 5.0 section 7.5.3.2).
static unsigned devices_behind(const struct bm_pci_device *bridge)
{
    unsigned express = bm_pci_capability_find(bridge, BM_PCI_CAP_EXPRESS, 0);
    unsigned type = express ? bm_pci_read16(bridge, express + 2) >> 4 & 15 : 0;
    return type == 4 || type == 6 || type == 8 ? 1 : 32;
}

static void bridge_assign(struct assignment *self, const struct bm_pci_device *bridge)
{
    struct bare_pci_windows *windows = self->windows, before = *windows, from;
    if (self->last_bus >= self->host->last_bus || self->depth == DEPTH_MAX) {
        buses_set(bridge, 0, 0);
        bm_log_warn("bare_pci", "no number is left for the bus behind %02x:%02x.%u", bridge->bus,
                    bridge->function >> 3, bridge->function & 7u);
        return;
    }
    unsigned secondary = ++self->last_bus;
    buses_set(bridge, secondary, self->host->last_bus); // until it is known
    windows->memory = (windows->memory + (1 << 20) - 1) & -(1ull << 20);
    windows->ports = (windows->ports + PAGE - 1) & -(uint32_t)PAGE;
    from = *windows;
    self->depth++;
    bus_assign(self, secondary, devices_behind(bridge));
    self->depth--;
    buses_set(bridge, secondary, self->last_bus);
    windows->memory = (windows->memory + (1 << 20) - 1) & -(1ull << 20);
    windows->ports = (windows->ports + PAGE - 1) & -(uint32_t)PAGE;
    bridge_open(bridge, &from, windows);
    if (windows->memory == from.memory)
        windows->memory = before.memory;
    if (windows->ports == from.ports)
        windows->ports = before.ports;
}

static bool function_assign(struct bm_pci_device *device, void *arg)
{
    struct assignment *self = arg;
    bars_assign(self, device);
    if (device->header_type == HEADER_BRIDGE)
        bridge_assign(self, device);
    return true;
}

// Numbers that the firmware gave may be those of other buses now.
static bool bridge_close(struct bm_pci_device *device, void *arg)
{
    (void)arg;
    if (device->header_type == HEADER_BRIDGE)
        buses_set(device, 0, 0);
    return true;
}

static void bus_assign(struct assignment *self, unsigned bus, unsigned devices)
{
    bus_each(self->host, bus, devices, bridge_close, NULL);
    bus_each(self->host, bus, devices, function_assign, self);
}

unsigned bm_bare_pci_assign(const struct bm_pci_host *host, struct bare_pci_windows *windows)
{
    struct assignment self = {.host = host, .windows = windows, .last_bus = host->first_bus};
    bus_assign(&self, host->first_bus, 32);
    return self.count;
}
