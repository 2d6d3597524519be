// The steps of boot, in the order in which bm_boot_main calls them. Each is called once, on core 0.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/boot.h>

// Steps that are declared weak run only in images whose program uses what they start; nothing else links
// them.
#define BM_BOOT_OPTIONAL __attribute__((weak))

void bm_core_start(void);      // cpu: this core's per-core area and stack canary can be read
void bm_cpu_start(void);       // cpu: features, GDT, TSS, interrupt stacks, IDT, SSE/AVX state, protections
void bm_memory_start(void);    // memory: frame allocator over the boot map
void bm_option_start(void);    // boot: the command line can be asked
void bm_console_start(void);   // console: serial port, log level; interrupts not used yet
void bm_acpi_start(void);      // device: root table
void bm_interrupt_start(void); // cpu: PIC off, local APIC, I/O APIC; interrupts enabled
void bm_cores_start(void);     // cpu: the work queue; the other cores can be called
void bm_console_listen(void) BM_BOOT_OPTIONAL; // console: input by interrupt
void bm_time_start(void) BM_BOOT_OPTIONAL;     // time: clock source, wake-up timer, RTC
void bm_random_start(void) BM_BOOT_OPTIONAL;   // random: pool seeded from the CPU
void bm_device_start(void);                    // device: buses and drivers
void bm_net_start(void) BM_BOOT_OPTIONAL;      // net: only in images that link baremetal::net
void bm_random_check(void) BM_BOOT_OPTIONAL;   // random: says so when there is no entropy
void bm_option_check(void);                    // boot: says so when a word is unknown

// net: at the end of a program that used sockets: waits until what they sent is out.
void bm_net_finish(void) BM_BOOT_OPTIONAL;

// libc: TLS, argv, the other cores, constructors, main, exit. Compiled once per C library.
void bm_program_run(void) __attribute__((noreturn));

// cpu: the other cores are called; they arrive by and by. The last step before the program's own code.
void bm_cores_call(void);

// libc: the thread-local storage of the calling core.
void bm_tls_start(void);

// time: arms the wake-up timer of this core for a time of bm_time_monotonic(), UINT64_MAX disarms. Used by
// bm_wait_until.
void bm_timer_arm(uint64_t deadline);
