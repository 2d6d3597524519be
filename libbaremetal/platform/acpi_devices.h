// Devices that only the machine's AML names, found without an interpreter: functions over bytes.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/acpi.h>

// Calls each() for every device of the AML in aml[size] whose hardware ID is the string `hid` (at most 16
// characters) and whose resources can be read. Nothing here maps, allocates or logs. Any context.
void bm_acpi_devices_parse(const uint8_t *aml, size_t size, const char *hid,
                           void (*each)(const struct bm_acpi_device *device, void *arg), void *arg);
