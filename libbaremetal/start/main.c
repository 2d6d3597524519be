// From the entry to main: the list of everything that boot does, in order.
// SPDX-License-Identifier: MIT
#include "../base/start.h"

void bm_start_main(void) __attribute__((noreturn));

// Runs a step that only some images have.
static void run(void (*step)(void))
{
    if (step)
        step();
}

void bm_start_main(void)
{
    bm_core_start();
    bm_option_start();
    bm_console_start();
    bm_memory_start();
    bm_cpu_start();
    bm_acpi_start();
    bm_interrupt_start();
    run(bm_ioapic_start);
    bm_interrupt_enable();
    bm_halt_start();
    bm_work_start();
    bm_cores_start();
    run(bm_time_start);
    run(bm_console_listen);
    run(bm_random_start);
    bm_device_start();
    run(bm_net_start);
    run(bm_random_check);
    bm_option_check();
    bm_program_start();
    bm_cores_call();
    bm_program_run();
}
