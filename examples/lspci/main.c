// Lists the machine's PCI devices: what each is, who drives it, where its registers are, how it interrupts.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -machine q35 -kernel lspci -device e1000e …
//
// It reads configuration space and changes nothing: a size of registers is known only where a driver asked.
#include <inttypes.h>
#include <stdio.h>

#include <baremetal/device.h>
#include <baremetal/pci.h>

// PCI Code and ID Assignment Specification: base class, and subclass where that says more.
static const char *class_name(uint32_t class_code)
{
    static const struct {
        uint32_t code, mask;
        const char *name;
    } classes[] = {
        {0x010100, 0xffff00, "IDE controller"},     {0x010600, 0xffff00, "SATA controller"},
        {0x010800, 0xffff00, "NVMe controller"},    {0x010000, 0xff0000, "storage controller"},
        {0x020000, 0xff0000, "network controller"}, {0x030000, 0xff0000, "display controller"},
        {0x040000, 0xff0000, "multimedia device"},  {0x050000, 0xff0000, "memory controller"},
        {0x060000, 0xffff00, "host bridge"},        {0x060100, 0xffff00, "ISA bridge"},
        {0x060400, 0xffff00, "PCI bridge"},         {0x060000, 0xff0000, "bridge"},
        {0x080000, 0xff0000, "system device"},      {0x0c0300, 0xffff00, "USB controller"},
        {0x0c0500, 0xffff00, "SMBus controller"},   {0x0c0000, 0xff0000, "serial bus"},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if ((class_code & classes[i].mask) == classes[i].code)
            return classes[i].name;
    return "device";
}

// The base address registers (PCI 3.0 section 6.2.5.1): six of a device, two of a bridge.
static void print_registers(const struct bm_pci_device *pci)
{
    const unsigned count = (pci->header_type & 0x7f) == 1 ? 2 : BM_PCI_BARS;
    for (unsigned i = 0; i < count; i++) {
        const uint32_t low = bm_pci_read32(pci, BM_PCI_BAR0 + 4 * i);
        const unsigned number = i;
        uint64_t base = low & ((low & 1) ? ~UINT32_C(3) : ~UINT32_C(15));
        if (!(low & 1) && (low & 6) == 4 && i + 1 < count)
            base |= (uint64_t)bm_pci_read32(pci, BM_PCI_BAR0 + 4 * ++i) << 32;
        if (base == 0)
            continue;
        printf("    registers %u: %s at 0x%" PRIx64, number, low & 1 ? "ports" : "memory", base);
        if (pci->bars_known & 1u << number && pci->bars[number].size != 0)
            printf(", %" PRIu64 " KiB", (pci->bars[number].size + 1023) / 1024);
        printf("\n");
    }
}

static void print_interrupts(const struct bm_pci_device *pci)
{
    const unsigned msix = bm_pci_capability_find(pci, BM_PCI_CAP_MSIX, 0);
    const unsigned line = bm_pci_read8(pci, 0x3d); // interrupt pin (section 6.2.4)
    if (msix != 0)
        printf("    interrupts: MSI-X, %u messages%s\n", (bm_pci_read16(pci, msix + 2) & 0x7ffu) + 1,
               pci->msix != 0 ? ", in use" : "");
    else if (bm_pci_capability_find(pci, BM_PCI_CAP_MSI, 0) != 0)
        printf("    interrupts: MSI%s\n", pci->msi != 0 ? ", in use" : "");
    else if (line >= 1 && line <= 4)
        printf("    interrupts: line INT%c\n", (char)('A' + line - 1));
}

int main(void)
{
    unsigned count = 0;
    for (const struct bm_device *device = bm_device_first(); device != NULL; device = device->next) {
        if (device->bus != BM_BUS_PCI && device->bus != BM_BUS_VIRTIO)
            continue; // the machine itself
        const char *driver = device->driver != NULL ? device->driver->name : "none";
        if (device->bus == BM_BUS_VIRTIO) {
            printf("%s: virtio device of type %u, driver: %s\n", device->name, (unsigned)device->device,
                   driver);
            continue;
        }
        const struct bm_pci_device *pci = (const struct bm_pci_device *)device; // its first member
        printf("%s: %s %04x:%04x (class %06" PRIx32 ", revision %u), driver: %s\n", device->name,
               class_name(device->class_code), (unsigned)device->vendor, (unsigned)device->device,
               device->class_code, (unsigned)bm_pci_read8(pci, BM_PCI_REVISION), driver);
        print_registers(pci);
        print_interrupts(pci);
        count++;
    }
    printf("lspci: %u PCI devices\n", count);
    return count == 0; // a machine without PCI has none to show
}
