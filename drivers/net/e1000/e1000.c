// Intel's PCI gigabit controllers, 8254x: what QEMU, VirtualBox and VMware show as "PRO/1000".
// SPDX-License-Identifier: MIT
//
// QEMU: -netdev user,id=n -device e1000,netdev=n (82540EM; e1000-82544gc, e1000-82545em)
//
// The sections of EERD and of the errata: see drivers/net/gigabit, which does the work.
#include "../gigabit/gigabit.h"

enum { INTEL = 0x8086, I82544GC = 0x100c, I82540EM = 0x100e, I82545EM = 0x100f };

// Section 13.4.4 of the manual: done is bit 4, the address begins at bit 8. Frames have up to 16,110 bytes.
static const struct gigabit_chip chip_8254x = {
    .name = "e1000", .eerd_done = 1 << 4, .eerd_shift = 8, .mtu_max = 16110 - 22, .sentinel = true};
// In PCI-X mode it hangs by buffers that end at certain addresses (82544 specification update).
static const struct gigabit_chip chip_82544 = {.name = "e1000",
                                               .eerd_done = 1 << 4,
                                               .eerd_shift = 8,
                                               .mtu_max = 16110 - 22,
                                               .sentinel = true,
                                               .no_pcix = true};

static int e1000_attach(struct bm_device *device)
{
    return bm_gigabit_attach(device, device->device == I82544GC ? &chip_82544 : &chip_8254x);
}

static const struct bm_device_id e1000_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = I82540EM},
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = I82544GC},
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = I82545EM},
    BM_DEVICE_ID_END,
};

BM_DRIVER(e1000) = {.name = "e1000", .ids = e1000_ids, .attach = e1000_attach};
