// Power-off: the first way that works.
// SPDX-License-Identifier: MIT
#include <baremetal/acpi.h>
#include <baremetal/cpu.h>
#include <baremetal/panic.h>

enum {
    DEBUG_EXIT_PORT =
        0xf4, // QEMU: -device isa-debug-exit,iobase=0xf4,iosize=4; its exit status is 2 * value + 1
    DEBUG_EXIT_PASS = 0x10,
    DEBUG_EXIT_FAIL = 0x11,
    DEBUG_EXIT_FAULT = 0x12,
    SLEEP_ENABLE = 1 << 13, // ACPI 6.4 section 4.8.3.2.1
    SLEEP_CONTROL_ENABLE = 1 << 5,
    POWER_OFF_READS = 500000 // of a port, about a microsecond each
};

static void tell_emulator(int status)
{
    if (bm_cpu_features_get()->hypervisor)
        bm_port_out32(DEBUG_EXIT_PORT, status == 0                ? DEBUG_EXIT_PASS
                                       : status == BM_POWER_FAULT ? DEBUG_EXIT_FAULT
                                                                  : DEBUG_EXIT_FAIL);
}

// Sections 4.8.3.2 (PM1 control) and 4.8.3.7 (sleep control).
static void sleep_s5(void)
{
    struct bm_acpi_sleep sleep;
    if (bm_acpi_sleep_get(&sleep))
        return;
    uint8_t control = (uint8_t)(sleep.type_a << 2 | SLEEP_CONTROL_ENABLE);
    if (sleep.control)
        *sleep.control = control;
    if (sleep.control_port)
        bm_port_out8(sleep.control_port, control);
    if (sleep.pm1a_control)
        bm_port_out16(sleep.pm1a_control, (uint16_t)(sleep.type_a << 10 | SLEEP_ENABLE));
    if (sleep.pm1b_control)
        bm_port_out16(sleep.pm1b_control, (uint16_t)(sleep.type_b << 10 | SLEEP_ENABLE));
    for (unsigned i = 0; i < POWER_OFF_READS; i++) // real machines take their time
        bm_port_in8(0x61);
}

void bm_power_off(int status)
{
    __asm__ volatile("cli");
    tell_emulator(status);
    sleep_s5();
    // No ACPI power-off: the keyboard controller's reset line ends the virtual machine (Firecracker), or a
    // fault that cannot be delivered does (QEMU's microvm, which has no such controller).
    bm_port_out8(0x64, 0xfe);
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) nothing = {0, 0};
    __asm__ volatile("lidt %0; int3" : : "m"(nothing));
    for (;;)
        __asm__ volatile("hlt");
}
