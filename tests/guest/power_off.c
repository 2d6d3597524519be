// Without isa-debug-exit, exit(0) powers the machine off by ACPI.
// SPDX-License-Identifier: MIT
// @power_off acpi

#include "check.h"

int main(void)
{
    return passed();
}
