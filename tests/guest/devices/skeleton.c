// The driver to copy works with its device, by MSI: attached before main, answer by interrupt.
// SPDX-License-Identifier: MIT
// @link skeleton
// @append log=info
// @device edu
// @expect ^skeleton: pci [0-9a-f]{2}:[0-9a-f]{2}\.0: 10! is 3628800$
// @forbid ^error:

#include <baremetal/device.h>

#include "check.h"

int main(void)
{
    const struct bm_device *device = bm_device_first();
    while (device && !(device->vendor == 0x1234 && device->device == 0x11e8))
        device = device->next;
    CHECK(device != NULL);
    CHECK(device->driver != NULL);
    CHECK(strcmp(device->driver->name, "skeleton") == 0);
    return passed();
}
