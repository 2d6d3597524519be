// What of the FADT the driver of the power button uses: a function over bytes.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/acpi.h>

// Ports of the fixed hardware (ACPI 6.4 section 4.8.3); 0 when absent.
struct power_button_ports {
    uint16_t event_a, event_b; // PM1 event blocks: status in the first half, enable bits in the second
    uint16_t event_size;       // bytes of each, 4 or more
    uint16_t control;          // PM1a control
    uint16_t general[2];       // blocks of general-purpose events, halved likewise
    uint16_t general_size[2];  // bytes of each
    uint16_t smi_command;      // where firmware is asked to leave its mode …
    uint8_t acpi_enable;       // … with this value; 0: it has none
    uint16_t interrupt;        // ISA number of the system control interrupt, below 16
};

// Reads a checked FADT (section 5.2.9). Returns whether the machine has a power button in fixed hardware, and
// all that it needs. Any context.
bool bm_power_button_parse(const struct bm_acpi_header *fadt, struct power_button_ports *ports);
