// The device registry: offers each device to the linked drivers, in the order of their names.
// SPDX-License-Identifier: MIT
//
// An image without drivers keeps bm_device_start alone: its loop over an empty section.
#include "../base/start.h"
#include "known_devices.h"

#include <baremetal/assert.h>
#include <baremetal/cpu.h>
#include <baremetal/device.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <stddef.h>

// The image script gathers the sections .bm_drivers.*, sorted by name, between these.
extern const struct bm_driver bm_drivers_begin[], bm_drivers_end[];

static struct bm_device bm_machine = {.bus = BM_BUS_ROOT, .name = "machine"};
static struct bm_device *bm_device_list;
static struct bm_device **bm_device_tail = &bm_device_list;

static inline bool bm_driver_matches(const struct bm_driver *driver, const struct bm_device *device)
{
    for (const struct bm_device_id *id = driver->ids; !id->last; id++)
        if (bm_device_id_matches(id, device))
            return true;
    return false;
}

// Says that nobody took the device: aloud when a user could miss it, quietly for the parts of every chipset.
static void bm_device_unclaimed(const struct bm_device *device)
{
    const struct bm_known_device *known = bm_known_device_find(device);
    const char *what = known ? known->what : "unknown device";
    enum bm_log_level level = known ? known->level : BM_LOG_WARN;
    if (known && known->target)
        bm_log(level, device->name, "%s %04x:%04x has no driver in this image: link baremetal::%s", what,
               device->vendor, device->device, known->target);
    else
        bm_log(level, device->name, "%s %04x:%04x: no driver", what, device->vendor, device->device);
}

// Of the checked build.
static inline bool is_added(const struct bm_device *device)
{
    const struct bm_device *added = bm_device_list;
    while (added && added != device)
        added = added->next;
    return added != NULL;
}

void bm_device_add(struct bm_device *device)
{
    BM_ASSERT(bm_core_id() == 0, "devices must be added by core 0");
    BM_ASSERT(!is_added(device), "a device must not be added twice");
    device->next = NULL;
    device->driver = NULL;
    *bm_device_tail = device;
    bm_device_tail = &device->next;
    for (const struct bm_driver *driver = bm_drivers_begin; driver < bm_drivers_end; driver++) {
        if (!bm_driver_matches(driver, device))
            continue;
        int error = driver->attach(device);
        if (error == -BM_ENODEV)
            continue;
        if (error)
            bm_log_error(driver->name, "%s: cannot be used (error %d)", device->name, -error);
        else
            device->driver = driver;
        return;
    }
    bm_device_unclaimed(device);
}

// Offers the machine itself to the drivers of buses.
void bm_device_start(void)
{
    for (const struct bm_driver *driver = bm_drivers_begin; driver < bm_drivers_end; driver++)
        if (bm_driver_matches(driver, &bm_machine))
            driver->attach(&bm_machine); // a bus says itself what is wrong with it
}

const struct bm_device *bm_device_first(void)
{
    return bm_device_list;
}
