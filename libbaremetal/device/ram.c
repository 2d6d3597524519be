// Whether a physical range is RAM: registers of a device that claim to lie there are refused.
// SPDX-License-Identifier: MIT
#include <baremetal/boot.h>
#include <baremetal/device.h>

bool bm_device_is_ram(uint64_t base, uint64_t size)
{
    const struct bm_boot_info *boot = bm_boot_info_get();
    for (unsigned i = 0; i < boot->region_count; i++) {
        const struct bm_boot_region *region = &boot->regions[i];
        if (base < region->base + region->length && region->base < base + size)
            return true;
    }
    return false;
}
