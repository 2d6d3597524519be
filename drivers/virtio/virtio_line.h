// Interrupt lines of virtio devices on PCI.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/pci.h>
#include <baremetal/virtio.h>

// virtio_line.c, in images that have it: has the device, which has no MSI-X, interrupt by its line. Returns 0
// (device->line is set, and device->interrupts once an interrupt has come) or a negative error.
int bm_virtio_line_start(struct bm_virtio_device *device, struct bm_pci_device *pci) __attribute__((weak));
