// I/O APIC: routing of the machine's wired interrupts, private to cpu/.
// SPDX-License-Identifier: MIT
#pragma once

// Finds the I/O APICs and the ISA overrides in the MADT and masks every input.
void bm_ioapic_start(void);
