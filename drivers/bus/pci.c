// The PCI bus: finds the functions, adds them to the registry, maps and enables them for their drivers.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -machine q35 (through ECAM), -machine pc (through I/O ports); `-device pcie-root-port,id=p -device
// virtio-net-pci,bus=p` for a device behind a bridge. log=debug lists what was found.
//
// Buses are found through ACPI's MCFG table (PCI Firmware Specification 3.2 section 4.1.2) by following
// bridges from the first bus of each segment. Bus and bridge numbers and addresses are those that the
// firmware assigned.
#include "pci_parse.h"

#include <baremetal/acpi.h>
#include <baremetal/assert.h>
#include <baremetal/cpu.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

enum { BM_PCI_SEGMENTS_MAX = 4 };

static struct bm_pci_host bm_pci_hosts[BM_PCI_SEGMENTS_MAX];

static void bm_pci_found(const struct bm_pci_device *function, void *arg)
{
    (void)arg;
    struct bm_pci_device *device = bm_memory_permanent(sizeof *device, _Alignof(struct bm_pci_device));
    if (!device) {
        bm_log_error("pci", "out of memory: %s is left out", function->device.name);
        return;
    }
    *device = *function;
    bm_log_debug(device->device.name, "%04x:%04x class %06x", device->device.vendor, device->device.device,
                 device->device.class_code);
    bm_device_add(&device->device);
}

// Real machines with several processors have a root bus for each, which only the DSDT names; virtual ones
// have one, which makes 255 looks at nothing worth avoiding.
static bool bm_pci_has_more_roots(void)
{
    return !bm_cpu_features_get()->hypervisor;
}

// One segment for each entry of MCFG: base address, segment, first and last bus, four reserved bytes. Returns
// the number of functions.
static unsigned bm_pci_scan_ecam(void)
{
    enum { FIRST_ENTRY = 44 };
    struct __attribute__((packed)) bm_pci_mcfg_entry {
        uint64_t base;
        uint16_t segment;
        uint8_t first_bus, last_bus;
        uint32_t reserved;
    };
    const struct bm_acpi_header *mcfg = bm_acpi_find("MCFG", 0);
    if (!mcfg || mcfg->length < FIRST_ENTRY)
        return 0;
    const struct bm_pci_mcfg_entry *entry = (const void *)((const uint8_t *)mcfg + FIRST_ENTRY);
    unsigned count = (mcfg->length - FIRST_ENTRY) / sizeof *entry;
    unsigned functions = 0;
    for (unsigned i = 0; i < count && i < BM_PCI_SEGMENTS_MAX; i++, entry++) {
        struct bm_pci_host *host = &bm_pci_hosts[i];
        if (bm_pci_host_ecam(host, entry->base, entry->segment, entry->first_bus, entry->last_bus))
            functions += bm_pci_scan(host, bm_pci_has_more_roots(), bm_pci_found, NULL);
        else
            bm_log_error("pci", "MCFG entry %u cannot be used: base %llx, buses %u to %u", i,
                         (unsigned long long)entry->base, entry->first_bus, entry->last_bus);
    }
    if (count > BM_PCI_SEGMENTS_MAX)
        bm_log_warn("pci", "%u segments, %u are used", count, (unsigned)BM_PCI_SEGMENTS_MAX);
    return functions;
}

static int bm_pci_attach(struct bm_device *machine)
{
    (void)machine;
    if (bm_pci_scan_ecam())
        return 0;
    if (bm_pci_host_ports(&bm_pci_hosts[0]) &&
        bm_pci_scan(&bm_pci_hosts[0], bm_pci_has_more_roots(), bm_pci_found, NULL))
        return 0;
    bm_log_info("pci", "the machine has no PCI bus"); // microvm and Firecracker never have one
    return 0;
}

static const struct bm_device_id bm_pci_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

BM_DRIVER(pci) = {.name = "pci", .ids = bm_pci_ids, .attach = bm_pci_attach};

void bm_pci_enable(struct bm_pci_device *device)
{
    uint16_t command = bm_pci_read16(device, BM_PCI_COMMAND);
    bm_pci_write16(device, BM_PCI_COMMAND,
                   command | BM_PCI_COMMAND_MEMORY | BM_PCI_COMMAND_MASTER | BM_PCI_COMMAND_NO_INTX);
}

void bm_pci_disable(struct bm_pci_device *device)
{
    uint16_t command = bm_pci_read16(device, BM_PCI_COMMAND);
    bm_pci_write16(device, BM_PCI_COMMAND, command & ~(BM_PCI_COMMAND_MEMORY | BM_PCI_COMMAND_MASTER));
}

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length)
{
    struct bm_pci_bar bar;
    const char *wrong = NULL;
    BM_ASSERT_NO_HANDLER();
    if (bm_pci_bar_get(device, index, &bar) || bar.io)
        wrong = "is no memory register";
    else if (bar.base == 0)
        wrong = "has no address: the firmware assigned none";
    else if (length == 0 || offset >= bar.size || length > bar.size - offset)
        wrong = "is too small for what the device says is in it";
    else if (bar.base >= 1ull << 52 || bar.size > 1ull << 52 || bm_device_is_ram(bar.base, bar.size))
        wrong = "has an impossible address";
    volatile void *registers =
        wrong ? NULL : bm_memory_map_device(bar.base + offset, length, BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    if (!registers)
        bm_log_error(device->device.name, "base address register %u %s", index,
                     wrong ? wrong : "cannot be mapped: out of memory");
    return registers;
}
