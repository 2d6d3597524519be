// The interrupt line of a virtio device on PCI that has no MSI-X (VIRTIO 1.3 section 4.1.4.5).
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -nic user,model=virtio, or vectors=0 of any virtio device on PCI
//
// Linked only with baremetal::virtio_line, which baremetal::drivers has. Whether the line reaches the
// interrupt controller where the firmware says is not known before an interrupt has come (bm_pci_line_set):
// the device is polled until then.
#include "virtio_line.h"

#include <baremetal/cpu.h>
#include <baremetal/error.h>

enum { ISR_QUEUE = 1, ISR_CONFIG = 2, LEGACY_ISR = 19 };

struct line {
    struct bm_virtio_device *device;
    const volatile uint8_t *isr; // NULL: in an I/O port
    uint16_t port;
};

// Runs as an interrupt handler. Reading the status lets go of the line; others may share it.
static void line_interrupt(void *arg)
{
    const struct line *self = arg;
    uint8_t isr = self->isr ? *self->isr : bm_port_in8(self->port);
    if (isr == 0 || isr == UINT8_MAX) // another's, or nobody is there
        return;
    if (isr & ISR_CONFIG)
        atomic_store_explicit(&self->device->config_changed, true, memory_order_relaxed);
    __atomic_store_n(&self->device->interrupts, 1, __ATOMIC_RELAXED);
}

// The status of the modern interface: the first capability of that kind that can be used.
static const volatile uint8_t *isr_find(struct bm_pci_device *pci)
{
    enum { TYPE = 3, BAR = 4, OFFSET = 8, LENGTH = 12, SIZE = 16, ISR = 3, CAPABILITIES_MAX = 48 };
    unsigned at = 0;
    for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
        struct bm_pci_bar bar;
        at = bm_pci_capability_find(pci, BM_PCI_CAP_VENDOR, at);
        if (!at || at > 256 - SIZE)
            break;
        if (bm_pci_read8(pci, at + TYPE) != ISR || bm_pci_read32(pci, at + LENGTH) == 0)
            continue;
        unsigned index = bm_pci_read8(pci, at + BAR);
        if (bm_pci_bar_get(pci, index, &bar) == 0 && !bar.io) {
            const volatile uint8_t *isr = bm_pci_bar_map(pci, index, bm_pci_read32(pci, at + OFFSET), 1);
            if (isr)
                return isr;
        }
    }
    return NULL;
}

int bm_virtio_line_start(struct bm_virtio_device *device, struct bm_pci_device *pci)
{
    struct bm_pci_bar bar;
    struct line *self = bm_memory_permanent(sizeof *self, _Alignof(struct line));
    if (!self)
        return -BM_ENOMEM;
    self->device = device;
    if (device->legacy) {
        if (bm_pci_bar_get(pci, 0, &bar) || !bar.io || bar.size <= LEGACY_ISR)
            return -BM_ENODEV;
        self->port = (uint16_t)(bar.base + LEGACY_ISR);
    } else {
        self->isr = isr_find(pci);
        if (!self->isr)
            return -BM_ENODEV;
    }
    int error = bm_pci_line_set(pci, line_interrupt, self);
    device->line = !error;
    return error;
}
