// A driver outside of the library's tree: counts the PCI host bridges and leaves them alone.
// SPDX-License-Identifier: MIT
#include "outside_driver.h"

#include <baremetal/device.h>
#include <baremetal/error.h>

int outside_driver_offers;

static const struct bm_device_id ids[] = {
    {.bus = BM_BUS_PCI, .vendor = BM_ID_ANY, .device = BM_ID_ANY},
    BM_DEVICE_ID_END,
};

static int attach(struct bm_device *device)
{
    (void)device;
    outside_driver_offers++;
    return -BM_ENODEV;
}

BM_DRIVER(outside_driver) = {.name = "outside_driver", .ids = ids, .attach = attach};
