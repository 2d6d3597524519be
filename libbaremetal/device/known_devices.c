// The devices that the log can name when no linked driver takes them, and the CMake target that would.
// SPDX-License-Identifier: MIT
//
// A new driver adds its line here. PCI class codes: PCI Code and ID Assignment Specification; virtio types:
// virtio 1.2 section 5.
#include "known_devices.h"

#include <stddef.h>

#define VIRTIO(type_)                                                                                        \
    {                                                                                                        \
        .bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = (type_)                                         \
    }
// A virtio device on PCI whose transport is not linked: modern numbers are 0x1040 + type, transitional ones a
// table of their own.
#define VIRTIO_PCI(device_)                                                                                  \
    {                                                                                                        \
        .bus = BM_BUS_PCI, .vendor = 0x1af4, .device = (device_)                                             \
    }
#define PCI_CLASS(class_, mask_)                                                                             \
    {                                                                                                        \
        .bus = BM_BUS_PCI, .vendor = BM_ID_ANY, .device = BM_ID_ANY, .class_code = (class_),                 \
        .class_mask = (mask_)                                                                                \
    }

static const struct bm_known_device bm_known_devices[] = {
    {VIRTIO(1), BM_LOG_WARN, "virtio network device", "virtio_net"},
    {VIRTIO(2), BM_LOG_WARN, "virtio block device", "virtio_blk"},
    {VIRTIO(3), BM_LOG_WARN, "virtio console", NULL},
    {VIRTIO(4), BM_LOG_WARN, "virtio entropy device", "virtio_rng"},
    {VIRTIO(5), BM_LOG_INFO, "virtio balloon", "virtio_balloon"},
    {VIRTIO(8), BM_LOG_WARN, "virtio SCSI host", "virtio_scsi"},
    {VIRTIO(BM_ID_ANY), BM_LOG_WARN, "virtio device", NULL},
    {VIRTIO_PCI(0x1000), BM_LOG_WARN, "virtio network device", "virtio_net"},
    {VIRTIO_PCI(0x1041), BM_LOG_WARN, "virtio network device", "virtio_net"},
    {VIRTIO_PCI(0x1005), BM_LOG_WARN, "virtio entropy device", "virtio_rng"},
    {VIRTIO_PCI(0x1044), BM_LOG_WARN, "virtio entropy device", "virtio_rng"},
    {VIRTIO_PCI(BM_ID_ANY), BM_LOG_WARN, "virtio device", NULL},
    {PCI_CLASS(0x020000, 0xff0000), BM_LOG_WARN, "network controller", NULL},
    // Chipsets have these two, with disks or without.
    {PCI_CLASS(0x010100, 0xffff00), BM_LOG_INFO, "IDE controller", NULL},
    {PCI_CLASS(0x010600, 0xffff00), BM_LOG_INFO, "SATA controller", "ahci"},
    {PCI_CLASS(0x010800, 0xffff00), BM_LOG_WARN, "NVMe controller", "nvme"},
    {PCI_CLASS(0x010000, 0xff0000), BM_LOG_WARN, "storage controller", NULL},
    {PCI_CLASS(0x030000, 0xff0000), BM_LOG_INFO, "display controller", NULL},
    {PCI_CLASS(0x050000, 0xff0000), BM_LOG_DEBUG, "memory controller", NULL},
    {PCI_CLASS(0x060000, 0xff0000), BM_LOG_DEBUG, "bridge", NULL},
    {PCI_CLASS(0x080000, 0xff0000), BM_LOG_DEBUG, "system device", NULL},
    {PCI_CLASS(0x0c0300, 0xffff00), BM_LOG_WARN, "USB controller", NULL},
    {PCI_CLASS(0x0c0500, 0xffff00), BM_LOG_DEBUG, "SMBus controller", NULL},
};

const struct bm_known_device *bm_known_device_find(const struct bm_device *device)
{
    for (size_t i = 0; i < sizeof bm_known_devices / sizeof *bm_known_devices; i++)
        if (bm_device_id_matches(&bm_known_devices[i].id, device))
            return &bm_known_devices[i];
    return NULL;
}
