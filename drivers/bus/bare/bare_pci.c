// PCI on firmware that leaves it bare: a driver of the machine that is asked before the bus's own.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -machine q35 -bios qboot.rom, -machine pc -bios qboot.rom. Where the firmware has given addresses,
// which is found out by a look at the first bus, nothing is touched.
#include "bare_pci.h"

#include "../pci_parse.h"

#include <baremetal/acpi.h>
#include <baremetal/log.h>

#include <stddef.h>

#define MIB (1ull << 20)

// Takes what MCFG says is configuration space out of the window: the larger part of what is left stays.
static void mcfg_leave_out(struct bare_pci_windows *windows)
{
    enum { FIRST_ENTRY = 44, ENTRY = 16 };
    const struct bm_acpi_header *mcfg = bm_acpi_find("MCFG", 0);
    for (size_t at = FIRST_ENTRY; mcfg && at + ENTRY <= mcfg->length; at += ENTRY) {
        const uint8_t *entry = (const uint8_t *)mcfg + at;
        uint64_t base, end;
        __builtin_memcpy(&base, entry, sizeof base);
        end = base + (entry[11] + 1) * MIB;
        base += entry[10] * MIB;
        if (base >= windows->memory_end || end <= windows->memory)
            continue;
        if (windows->memory_end > end && windows->memory_end - end >= base - windows->memory)
            windows->memory = (end + MIB - 1) & -MIB;
        else
            windows->memory_end = base > windows->memory ? base & -MIB : windows->memory;
    }
}

// PCs keep addresses between RAM and the interrupt controllers free for devices; what RAM there is, the boot
// loader or the firmware has said. Ports from 0xc000 on are nobody's.
static struct bare_pci_windows windows_find(void)
{
    enum { STEP = 16 << 20 };
    struct bare_pci_windows windows = {
        .memory = 0x80000000, .memory_end = 0xfec00000, .ports = 0xc000, .ports_end = 0x10000};
    while (windows.memory < windows.memory_end &&
           bm_device_is_ram(windows.memory, windows.memory_end - windows.memory))
        windows.memory += STEP;
    if (windows.memory > windows.memory_end)
        windows.memory = windows.memory_end;
    mcfg_leave_out(&windows);
    return windows;
}

static int bare_pci_attach(struct bm_device *machine)
{
    struct bm_pci_host host;
    (void)machine;
    if (!bm_pci_host_ports(&host) || !bm_bare_pci_is_bare(&host))
        return 0;
    struct bare_pci_windows windows = windows_find();
    uint64_t first = windows.memory;
    unsigned count = bm_bare_pci_assign(&host, &windows);
    bm_log_info("bare_pci", "%u registers got the addresses that the firmware did not give: %llx to %llx",
                count, (unsigned long long)first, (unsigned long long)windows.memory);
    return 0;
}

static const struct bm_device_id bare_pci_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

// The registry offers the machine in the order of names: this one comes before pci.
BM_DRIVER(bare_pci) = {.name = "bare_pci", .ids = bare_pci_ids, .attach = bare_pci_attach};
