// The device registry: drivers say what they drive, buses say what they found.
// SPDX-License-Identifier: MIT
//
// A driver is a constant that its file places in the section .bm_drivers.<name>; the CMake target of the
// driver carries the link option that pulls the file in. At boot the kernel offers the machine itself
// (BM_BUS_ROOT) to the drivers of buses; each bus adds the devices that it finds, and each device is offered
// to the drivers whose table has its id. Attaching happens on core 0 before main, with all of the kernel's
// services running.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a device hangs on; BM_BUS_ROOT is the machine itself.
enum bm_bus { BM_BUS_ROOT, BM_BUS_PCI, BM_BUS_VIRTIO };

enum { BM_ID_ANY = 0xffff }; // in a table: of every vendor, or every device

// What a driver drives. A table ends with BM_DEVICE_ID_END.
struct bm_device_id {
    uint16_t bus;        // enum bm_bus
    uint16_t vendor;     // PCI vendor, or BM_ID_ANY (which tables of virtio drivers have)
    uint16_t device;     // PCI device or virtio device type, or BM_ID_ANY
    uint32_t class_code; // PCI class code (24 bits), compared under class_mask
    uint32_t class_mask; // 0: do not compare
    uint32_t last;       // BM_DEVICE_ID_END's
};
#define BM_DEVICE_ID_END                                                                                     \
    {                                                                                                        \
        .last = 1                                                                                            \
    }

// A device that a bus found. The bus embeds it in a structure of its own and keeps that for ever.
struct bm_device {
    // As in struct bm_device_id:
    uint16_t bus;
    uint16_t vendor, device;
    uint32_t class_code;

    char name[24];                  // for the log: "pci 00:03.0", "virtio 00:03.0"
    const struct bm_driver *driver; // that attached; NULL when none did
    void *state;                    // the driver's own
    struct bm_device *next;         // registry's
};

// A driver. BM_DRIVER places it.
struct bm_driver {
    const char *name;               // the same word as the file and the CMake target
    const struct bm_device_id *ids; // what it drives, up to BM_DEVICE_ID_END
    // Takes the device. Returns 0, -BM_ENODEV ("not mine": the next driver is asked), or another negative
    // error, which is logged while boot goes on.
    int (*attach)(struct bm_device *device);
};

// Places a driver, whose name is `name_`, in the registry. The CMake target's link option asks for the symbol
// bm_driver_<name>.
#define BM_DRIVER(name_)                                                                                     \
    extern const struct bm_driver bm_driver_##name_;                                                         \
    const struct bm_driver bm_driver_##name_                                                                 \
        __attribute__((used, visibility("default"), aligned(8), section(".bm_drivers." #name_)))

// Offers a device to the linked drivers; called by a bus for each device that it finds. A device that nobody
// takes is logged, with the CMake target that would drive it when one is known. Core 0, at boot.
void bm_device_add(struct bm_device *device);

// Whether any byte of the physical range [base, base + size), which must not wrap, is RAM of the boot map.
// Registers that lie there are an error of the firmware, or an attack. Any context.
bool bm_device_is_ram(uint64_t base, uint64_t size);

// The devices in the order in which they were found; NULL at the end. Any core.
const struct bm_device *bm_device_first(void);

#ifdef __cplusplus
}
#endif
