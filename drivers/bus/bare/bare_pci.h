// Addresses for PCI devices that the firmware gave none.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/pci.h>

// What may be given out: bytes of memory addresses and ports, from the next free one to the one behind the
// last.
struct bare_pci_windows {
    uint64_t memory, memory_end; // multiples of 1 MiB
    uint32_t ports, ports_end;   // multiples of 4 KiB
};

// Whether none of the functions on the host's first bus has an address, though there are some.
bool bm_bare_pci_is_bare(const struct bm_pci_host *host);

// Numbers the buses behind bridges, gives all base address registers addresses from the windows, which
// shrink, and opens the bridges for them. Devices stay switched off. What does not fit stays without an
// address; the log says so. Returns how many registers got one.
unsigned bm_bare_pci_assign(const struct bm_pci_host *host, struct bare_pci_windows *windows);
