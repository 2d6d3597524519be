// How long boot takes from its first C function to main, on 2 and on 64 cores; boot_cores.py compares.
// SPDX-License-Identifier: MIT
// @wrap bm_boot_early
// @script boot_cores.py

#include <baremetal/cpu.h>

#include "check.h"

static uint64_t began;

void __real_bm_boot_early(uint32_t loader, uint64_t information);
void __wrap_bm_boot_early(uint32_t loader, uint64_t information);

// The first C function of boot (boot/early.c).
__attribute__((no_stack_protector)) void __wrap_bm_boot_early(uint32_t loader, uint64_t information)
{
    began = bm_cpu_tsc();
    __real_bm_boot_early(loader, information);
}

int main(void)
{
    const uint64_t took = bm_cpu_tsc() - began;
    printf("%lu ticks to main\n%u cores\n", (unsigned long)took, bm_core_count());
    return passed();
}
