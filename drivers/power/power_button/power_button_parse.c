// What of the FADT the driver of the power button uses. Firmware wrote it, so every number is checked.
// SPDX-License-Identifier: MIT
#include "power_button.h"

// Offsets in the FADT, section 5.2.9.
enum {
    INTERRUPT = 46,
    SMI_COMMAND = 48,
    ACPI_ENABLE = 52,
    EVENT_A = 56,
    EVENT_B = 60,
    CONTROL_A = 64,
    GENERAL_0 = 80,
    GENERAL_1 = 84,
    EVENT_SIZE = 88,
    GENERAL_0_SIZE = 92,
    GENERAL_1_SIZE = 93,
    FLAGS = 112,
    LENGTH_MIN = 116
};
enum { FLAG_BUTTON_IS_AML = 1 << 4, FLAG_HARDWARE_REDUCED = 1 << 20, INTERRUPTS = 16, EVENT_SIZE_MIN = 4 };

static uint32_t read32(const struct bm_acpi_header *fadt, unsigned offset)
{
    uint32_t value;
    __builtin_memcpy(&value, (const uint8_t *)fadt + offset, sizeof value);
    return value;
}

// A block of `size` ports; 0 when there is none, or it does not lie among the ports.
static uint16_t block(const struct bm_acpi_header *fadt, unsigned offset, unsigned size)
{
    uint32_t port = read32(fadt, offset);
    return port + size <= 0x10000 && port < 0x10000 ? (uint16_t)port : 0;
}

bool bm_power_button_parse(const struct bm_acpi_header *fadt, struct power_button_ports *ports)
{
    const uint8_t *bytes = (const uint8_t *)fadt;
    if (fadt->length < LENGTH_MIN || read32(fadt, FLAGS) & (FLAG_BUTTON_IS_AML | FLAG_HARDWARE_REDUCED))
        return false;
    ports->event_size = bytes[EVENT_SIZE];
    ports->event_a = block(fadt, EVENT_A, ports->event_size);
    ports->event_b = block(fadt, EVENT_B, ports->event_size);
    ports->control = block(fadt, CONTROL_A, 2);
    ports->smi_command = block(fadt, SMI_COMMAND, 1);
    ports->acpi_enable = bytes[ACPI_ENABLE];
    for (unsigned i = 0; i < 2; i++) {
        ports->general_size[i] = bytes[i ? GENERAL_1_SIZE : GENERAL_0_SIZE];
        ports->general[i] = block(fadt, i ? GENERAL_1 : GENERAL_0, ports->general_size[i]);
    }
    ports->interrupt = (uint16_t)(bytes[INTERRUPT] | bytes[INTERRUPT + 1] << 8);
    return ports->event_size >= EVENT_SIZE_MIN && ports->event_a && ports->control &&
           ports->interrupt < INTERRUPTS;
}
