// The steps of boot, in the order in which bm_start_main calls them. Each is called once, on core 0.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/boot.h>

// Steps that are declared weak run only in images whose program uses what they start; nothing else links
// them.
#define BM_BOOT_OPTIONAL __attribute__((weak))

void bm_core_start(void);      // cpu: this core's per-core area and stack canary can be read
void bm_cpu_start(void);       // cpu: features, GDT, TSS, interrupt stacks, IDT, SSE/AVX state, protections
void bm_memory_start(void);    // memory: frame allocator over the boot map
void bm_option_start(void);    // base: the command line can be asked
void bm_console_start(void);   // console: serial port, log level; interrupts not used yet
void bm_acpi_start(void);      // platform: root table
void bm_interrupt_start(void); // cpu: PIC off, local APIC on
void bm_ioapic_start(void) BM_BOOT_OPTIONAL; // platform: I/O APIC and ISA overrides from the MADT, all masked
void bm_interrupt_enable(void);              // cpu: from here on interrupts come
void bm_halt_start(void);                    // wait: how cores halt
void bm_work_start(void);                    // work: the queue of core 0
void bm_cores_start(void);                   // start: the other cores can be called
void bm_console_listen(void) BM_BOOT_OPTIONAL; // console: input by interrupt
void bm_time_start(void) BM_BOOT_OPTIONAL;     // time: clock source, wake-up timer, RTC
void bm_random_start(void) BM_BOOT_OPTIONAL;   // random: pool seeded from the CPU
void bm_device_start(void);                    // device: buses and drivers
void bm_net_start(void) BM_BOOT_OPTIONAL;      // net: only in images that link baremetal::net
void bm_random_check(void) BM_BOOT_OPTIONAL;   // random: says so when there is no entropy
void bm_option_check(void);                    // base: says so when a word is unknown

// net: at the end of a program that used sockets: waits until what they sent is out.
void bm_net_finish(void) BM_BOOT_OPTIONAL;

void bm_program_start(void); // libc: TLS, environment, argv
void bm_cores_call(void);    // start: starts the other cores; they come up in the background
void bm_program_run(void) __attribute__((noreturn)); // libc: constructors, main, exit

// libc: the thread-local storage of the calling core.
void bm_tls_start(void);

// wait: a device's interrupt came to this core, which may do other work, or halt without serving devices; the
// watcher is to look. In interrupt handlers; only in images that wait.
void bm_wait_interrupted(void) BM_BOOT_OPTIONAL;

// base: reads log= from the command line.
void bm_log_start(void);
