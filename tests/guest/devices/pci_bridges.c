// PCI devices behind bridges, ports and bridges behind bridges are found once, and work.
// SPDX-License-Identifier: MIT
// @link virtio_rng virtio_legacy bare_pci
// @append log=debug
// @forbid ^error:
// @run express
// @machines q35
// @device pcie-root-port,id=port1,chassis=1
// @device pcie-root-port,id=port2,chassis=2
// @device pcie-pci-bridge,id=bridge1,bus=port2
// @device virtio-rng-pci,bus=port1
// @device virtio-rng-pci,bus=bridge1,addr=1
// @device virtio-rng-pci,bus=bridge1,addr=1f
// @expect ^buses: 4$
// @expect ^entropy devices: 3$
// @run conventional
// @machines pc
// @device pci-bridge,id=bridge1,chassis_nr=1
// @device pci-bridge,id=bridge2,chassis_nr=2,bus=bridge1,addr=4
// @device virtio-rng-pci,bus=bridge1,addr=5
// @device virtio-rng-pci,bus=bridge2,addr=6
// @device virtio-rng-pci,bus=bridge2,addr=7
// @expect ^buses: 3$
// @expect ^entropy devices: 3$
// @run express, firmware that leaves it bare
// @machines q35
// @argument -bios qboot.rom
// @device pcie-root-port,id=port1,chassis=1
// @device pcie-root-port,id=port2,chassis=2
// @device pcie-pci-bridge,id=bridge1,bus=port2
// @device virtio-rng-pci,bus=port1
// @device virtio-rng-pci,bus=bridge1,addr=1
// @device virtio-rng-pci,bus=bridge1,addr=1f
// @expect ^bare_pci: .* got the addresses
// @expect ^buses: 4$
// @expect ^entropy devices: 3$
// @run conventional, firmware that leaves it bare
// @machines pc
// @argument -bios qboot.rom
// @device pci-bridge,id=bridge1,chassis_nr=1
// @device pci-bridge,id=bridge2,chassis_nr=2,bus=bridge1,addr=4
// @device virtio-rng-pci,bus=bridge1,addr=5,disable-modern=on,disable-legacy=off
// @device virtio-rng-pci,bus=bridge2,addr=6
// @device virtio-rng-pci,bus=bridge2,addr=7,disable-modern=on,disable-legacy=off
// @expect ^bare_pci: .* got the addresses
// @expect ^buses: 3$
// @expect ^entropy devices: 3$
// @run expander
// @machines q35
// @device pxb-pcie,id=root2,bus_nr=32
// @device pcie-root-port,id=port1,bus=root2,chassis=1
// @device virtio-rng-pci,bus=port1
// @expect ^buses: 3$
// @expect ^entropy devices: 1$

#include <baremetal/pci.h>
#include <baremetal/virtio.h>
#include <stdio.h>

#include "check.h"

int main(void)
{
    unsigned buses = 0, entropy = 0;
    int last_bus = -1;
    for (const struct bm_device *device = bm_device_first(); device; device = device->next) {
        if (device->bus == BM_BUS_VIRTIO) {
            CHECK(device->device == BM_VIRTIO_RNG);
            CHECK(device->driver != NULL);
            entropy++;
            continue;
        }
        const struct bm_pci_device *pci = bm_pci_device_of((struct bm_device *)device);
        CHECK(pci->bus >= last_bus); // in order
        buses += pci->bus != last_bus;
        last_bus = pci->bus;
        for (const struct bm_device *other = bm_device_first(); other != device; other = other->next) {
            const struct bm_pci_device *before = bm_pci_device_of((struct bm_device *)other);
            CHECK(other->bus != BM_BUS_PCI || before->bus != pci->bus || before->function != pci->function);
        }
    }
    printf("buses: %u\n", buses);
    printf("entropy devices: %u\n", entropy);
    return passed();
}
