// Registers of PCI devices, by where they are.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include <baremetal/pci.h>

// The register's device, and its offset; NULL: there is none.
static const struct bm_pci_device *device_find(u64 where, unsigned *offset)
{
    const struct bm_device *device = bm_device_first();
    *offset = where & 0xfffc;
    for (; device; device = device->next) {
        const struct bm_pci_device *pci = (const struct bm_pci_device *)device;
        if (device->bus == BM_BUS_PCI && pci->bus == (where >> 24 & 255) &&
            pci->function == (where >> 16 & 255) && pci->host->segment == (where >> 32 & 0xffff))
            return pci;
    }
    return NULL;
}

u64 bm_exokernel_bus_read(u64 where)
{
    unsigned offset;
    const struct bm_pci_device *pci = device_find(where, &offset);
    return pci ? bm_pci_read32(pci, offset) : UINT32_MAX;
}

u64 bm_exokernel_bus_write(u64 value, u64 where)
{
    unsigned offset;
    const struct bm_pci_device *pci = device_find(where, &offset);
    if (!pci)
        return 0;
    bm_pci_write32(pci, offset, (uint32_t)value);
    return value;
}
