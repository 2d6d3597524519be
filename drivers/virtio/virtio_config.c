// Writes to the configuration of a virtio device, for the drivers whose devices have fields to be written.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_config.h"

#include <baremetal/assert.h>

// Those that are linked.
#pragma weak bm_virtio_pci_transport
#pragma weak bm_virtio_mmio_transport
#pragma weak bm_virtio_pci_config_write
#pragma weak bm_virtio_mmio_config_write
#pragma weak bm_virtio_legacy_config_write

void bm_virtio_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size, uint32_t value)
{
    BM_ASSERT(size == 1 || size == 2 || size == 4, "a field of the configuration has 1, 2 or 4 bytes");
    BM_ASSERT(offset % size == 0, "a field of the configuration lies at a multiple of its size");
    if (device->transport == &bm_virtio_pci_transport)
        bm_virtio_pci_config_write(device, offset, size, value);
    else if (device->transport == &bm_virtio_mmio_transport)
        bm_virtio_mmio_config_write(device, offset, size, value);
    else
        bm_virtio_legacy_config_write(device, offset, size, value);
}
