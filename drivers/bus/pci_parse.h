// The parts of the PCI bus that only read configuration space: they run on the host too.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/pci.h>

// Calls found() for every function on the host's buses: bus first_bus, and those behind bridges whose bus
// numbers make sense; with all_roots also every bus to which no bridge leads but on which something answers.
// Each bus is visited at most once, so at most 65,536 calls, whatever the bridges say. Returns the number of
// functions.
unsigned bm_pci_scan(const struct bm_pci_host *host, bool all_roots,
                     void (*found)(const struct bm_pci_device *function, void *arg), void *arg);

// Where an MSI-X capability says that the table is (section 6.8.2).
struct bm_pci_msix {
    unsigned capability; // its offset
    unsigned count;      // entries
    unsigned bar;        // 0 … 5
    uint32_t offset;     // of the table in the bar
};

// Reads the MSI-X capability. Returns 0, -BM_ENOENT when there is none, -BM_EINVAL when it names no memory
// register.
int bm_pci_msix_get(const struct bm_pci_device *device, struct bm_pci_msix *msix);

// Hosts: drivers/bus/pci_host.c. Fills in a host that is reached by I/O ports or through ECAM; false when the
// machine has none there.
bool bm_pci_host_ports(struct bm_pci_host *host);
bool bm_pci_host_ecam(struct bm_pci_host *host, uint64_t base, uint16_t segment, uint8_t first_bus,
                      uint8_t last_bus);
