// How long boot takes from its first C function to main, on 2 and on 64 cores; boot_cores.py compares.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @wrap bm_boot_early bm_cores_call
// @script boot_cores.py

#include <baremetal/cpu.h>

#include "check.h"

static uint64_t began, alone; // when boot began, and how long this core was alone

void __real_bm_boot_early(uint32_t loader, uint64_t information);
void __wrap_bm_boot_early(uint32_t loader, uint64_t information);

// The first C function of boot (boot/early.c).
__attribute__((no_stack_protector)) void __wrap_bm_boot_early(uint32_t loader, uint64_t information)
{
    began = bm_cpu_tsc();
    __real_bm_boot_early(loader, information);
}

void __real_bm_cores_call(void);
void __wrap_bm_cores_call(void);

// The last step of boot.
void __wrap_bm_cores_call(void)
{
    alone = bm_cpu_tsc() - began;
    __real_bm_cores_call();
}

int main(void)
{
    const uint64_t took = bm_cpu_tsc() - began;
    printf("%lu ticks alone\n%lu ticks to main\n", (unsigned long)alone, (unsigned long)took);
    printf("%u cores\n", bm_core_count());
    return passed();
}
