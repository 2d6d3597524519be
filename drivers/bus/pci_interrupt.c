// Interrupts of PCI devices by message: MSI-X (PCI 3.0 section 6.8.2), else one MSI (section 6.8.1).
// SPDX-License-Identifier: MIT
// @optimize size
#include "pci_parse.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/log.h>

enum { MSIX_CONTROL = 2, MSIX_ENABLE = 1 << 15, MSIX_MASK_ALL = 1 << 14 };
enum {
    MSIX_ENTRY_WORDS = 4,
    MSIX_ADDRESS = 0,
    MSIX_ADDRESS_HIGH = 1,
    MSIX_DATA = 2,
    MSIX_VECTOR_CONTROL = 3
};
enum {
    MSI_CONTROL = 2,
    MSI_ENABLE = 1 << 0,
    MSI_MULTIPLE = 7 << 4,
    MSI_64BIT = 1 << 7,
    MSI_MASKING = 1 << 8
};

static int bm_pci_msix_start(struct bm_pci_device *device, unsigned max)
{
    struct bm_pci_msix msix;
    int error = bm_pci_msix_get(device, &msix);
    if (error)
        return error;
    device->msix_table = bm_pci_bar_map(device, msix.bar, msix.offset, msix.count * MSIX_ENTRY_WORDS * 4);
    if (!device->msix_table)
        return -BM_EINVAL;
    // Every entry is masked before the function may use the table; interrupts are then unmasked one by one.
    uint16_t control = bm_pci_read16(device, msix.capability + MSIX_CONTROL);
    bm_pci_write16(device, msix.capability + MSIX_CONTROL, control | MSIX_ENABLE | MSIX_MASK_ALL);
    for (unsigned i = 0; i < msix.count; i++)
        device->msix_table[i * MSIX_ENTRY_WORDS + MSIX_VECTOR_CONTROL] = 1;
    bm_pci_write16(device, msix.capability + MSIX_CONTROL, (control | MSIX_ENABLE) & ~MSIX_MASK_ALL);
    device->msix = (uint16_t)msix.capability;
    return (int)(msix.count < max ? msix.count : max);
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(bm_pci_read16(device, BM_PCI_COMMAND) & BM_PCI_COMMAND_MASTER, "bm_pci_enable comes before it");
    BM_ASSERT(device->interrupt_count == 0, "a device's interrupts are prepared once");
    BM_ASSERT(max, "at least one interrupt must be wanted");
    if (max > BM_PCI_INTERRUPTS_MAX)
        max = BM_PCI_INTERRUPTS_MAX;
    int count = bm_pci_msix_start(device, max);
    if (count < 0) {
        device->msi = (uint16_t)bm_pci_capability_find(device, BM_PCI_CAP_MSI, 0);
        if (!device->msi)
            return -BM_ENODEV;
        count = 1;
    }
    device->interrupt_count = (uint16_t)count;
    return count;
}

static void bm_pci_msix_write(struct bm_pci_device *device, unsigned index,
                              struct bm_interrupt_message message)
{
    volatile uint32_t *entry = device->msix_table + index * MSIX_ENTRY_WORDS;
    entry[MSIX_VECTOR_CONTROL] = 1; // while it is not whole (section 6.8.3.5)
    entry[MSIX_ADDRESS] = (uint32_t)message.address;
    entry[MSIX_ADDRESS_HIGH] = (uint32_t)(message.address >> 32);
    entry[MSIX_DATA] = message.data;
    entry[MSIX_VECTOR_CONTROL] = 0;
}

static int bm_pci_msi_write(struct bm_pci_device *device, struct bm_interrupt_message message)
{
    unsigned offset = device->msi;
    uint16_t control = bm_pci_read16(device, offset + MSI_CONTROL);
    if (message.address >> 32 && !(control & MSI_64BIT))
        return -BM_EINVAL;
    bm_pci_write32(device, offset + 4, (uint32_t)message.address);
    if (control & MSI_64BIT)
        bm_pci_write32(device, offset + 8, (uint32_t)(message.address >> 32));
    unsigned data = offset + (control & MSI_64BIT ? 12 : 8);
    bm_pci_write16(device, data, (uint16_t)message.data);
    if (control & MSI_MASKING)
        bm_pci_write32(device, data + 4, ~1u);
    bm_pci_write16(device, offset + MSI_CONTROL, (control & ~MSI_MULTIPLE) | MSI_ENABLE);
    return 0;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(device->interrupt_count, "bm_pci_interrupt_start comes before it");
    if (index >= device->interrupt_count)
        return -BM_EINVAL;
    int vector = bm_interrupt_allocate(handler, arg);
    if (vector < 0) {
        bm_log_error(device->device.name, "no interrupt vector left");
        return vector;
    }
    device->vectors[index] = (uint8_t)vector;
    int error = bm_pci_interrupt_aim(device, index, 0);
    if (error) {
        device->vectors[index] = 0;
        bm_interrupt_free(vector);
    }
    return error;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    struct bm_interrupt_message message;
    if (index >= device->interrupt_count || !device->vectors[index])
        return -BM_EINVAL;
    int error = bm_interrupt_message_get(device->vectors[index], core, &message);
    if (error)
        return error;
    if (!device->msix)
        return bm_pci_msi_write(device, message);
    bm_pci_msix_write(device, index, message);
    return 0;
}
