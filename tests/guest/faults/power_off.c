// Without isa-debug-exit, exit(0) powers the machine off by ACPI; one without ACPI ends by a reset.
// SPDX-License-Identifier: MIT
// @machines pc q35 microvm microvm-bare microvm-noacpi
// @power_off acpi

#include "check.h"

int main(void)
{
    return passed();
}
