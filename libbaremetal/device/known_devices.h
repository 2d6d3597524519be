// What to call a device that no linked driver takes.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/device.h>
#include <baremetal/log.h>
#include <stdbool.h>

// Whether an entry of a table fits the device. Any context.
static inline bool bm_device_id_matches(const struct bm_device_id *id, const struct bm_device *device)
{
    return id->bus == device->bus && (id->vendor == BM_ID_ANY || id->vendor == device->vendor) &&
           (id->device == BM_ID_ANY || id->device == device->device) &&
           (device->class_code & id->class_mask) == (id->class_code & id->class_mask);
}

struct bm_known_device {
    struct bm_device_id id;
    enum bm_log_level level; // of the line that says so: warn when a user may wonder why it does not work
    const char *what;        // in a few words
    const char *target;      // the CMake target that drives it, without baremetal::; NULL when there is none
};

// The first entry that fits the device, or NULL. Any context.
const struct bm_known_device *bm_known_device_find(const struct bm_device *device);
