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
    SLEEP_ENABLE = 1 << 13 // ACPI 6.4 section 4.8.3.2.1
};

static void tell_emulator(int status)
{
    if (bm_cpu_features_get()->hypervisor)
        bm_port_out32(DEBUG_EXIT_PORT, status == 0                ? DEBUG_EXIT_PASS
                                       : status == BM_POWER_FAULT ? DEBUG_EXIT_FAULT
                                                                  : DEBUG_EXIT_FAIL);
}

static void sleep_s5(void)
{
    struct bm_acpi_sleep sleep;
    if (bm_acpi_sleep_get(&sleep))
        return;
    bm_port_out16(sleep.pm1a_control, (uint16_t)(sleep.type_a << 10 | SLEEP_ENABLE));
    if (sleep.pm1b_control)
        bm_port_out16(sleep.pm1b_control, (uint16_t)(sleep.type_b << 10 | SLEEP_ENABLE));
}

void bm_power_off(int status)
{
    __asm__ volatile("cli");
    tell_emulator(status);
    sleep_s5();
    // No ACPI power-off (microvm, Firecracker): the keyboard controller's reset line ends the virtual
    // machine.
    bm_port_out8(0x64, 0xfe);
    for (;;)
        __asm__ volatile("hlt");
}
