// How the transports write to a device's configuration. Images whose drivers never do hold none of it, so it
// is no member of struct bm_virtio_transport.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/virtio.h>

// The transports, and what bm_virtio_config_write is on each.
extern const struct bm_virtio_transport bm_virtio_pci_transport;
extern const struct bm_virtio_transport bm_virtio_mmio_transport;
extern const struct bm_virtio_transport bm_virtio_legacy_transport;
void bm_virtio_pci_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size,
                                uint32_t value);
void bm_virtio_mmio_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size,
                                 uint32_t value);
void bm_virtio_legacy_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size,
                                   uint32_t value);

// Writes a field that is mapped.
static inline void bm_virtio_field_write(volatile uint8_t *field, unsigned size, uint32_t value)
{
    if (size == 4)
        *(volatile uint32_t *)field = value;
    else if (size == 2)
        *(volatile uint16_t *)field = (uint16_t)value;
    else
        *field = (uint8_t)value;
}
