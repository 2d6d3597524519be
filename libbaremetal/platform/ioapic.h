// I/O APIC: routing of the machine's wired interrupts, private to cpu/.
// SPDX-License-Identifier: MIT
#pragma once

// Finds the I/O APICs and the ISA overrides in the MADT and masks every input. Linked only with a caller of
// bm_interrupt_route_isa.
void bm_ioapic_start(void) __attribute__((weak));
