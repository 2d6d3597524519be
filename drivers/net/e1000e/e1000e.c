// Intel's PCI Express gigabit controller 82574L: what QEMU and VMware show as "e1000e".
// SPDX-License-Identifier: MIT
//
// QEMU: -netdev user,id=n -device e1000e,netdev=n
#include "../gigabit/gigabit.h"

// 82574 section 10.2.2: of EERD, done is bit 1, the address begins at bit 2. Frames have up to 9,234 bytes.
static const struct gigabit_chip chip_82574 = {
    .name = "e1000e", .eerd_done = 1 << 1, .eerd_shift = 2, .mtu_max = 9234 - 22, .express = true};

static int e1000e_attach(struct bm_device *device)
{
    return bm_gigabit_attach(device, &chip_82574);
}

static const struct bm_device_id e1000e_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x8086, .device = 0x10d3},
    BM_DEVICE_ID_END,
};

BM_DRIVER(e1000e) = {.name = "e1000e", .ids = e1000e_ids, .attach = e1000e_attach};
