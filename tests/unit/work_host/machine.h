// Threads of the host as cores, for tests of the work queue.
// SPDX-License-Identifier: MIT
//
// halt.c, and wait.c where a test names it, are the kernel's own; only what they need of the processor is
// replaced: %gs (Linux leaves it to the program), the interrupt between cores, and the instructions that
// halt.
#pragma once

#include <stdbool.h>

enum { MACHINE_CORES_MAX = 16 };

// Makes the calling thread core 0, and names the test in the message of the hang detector.
void machine_start(const char *test);

// Starts threads until `cores` cores run; they stay until the process ends, as on the machine.
void machine_grow(unsigned cores);

// Cores that the machine has.
unsigned machine_cores(void);

// Whether that core has announced that it halts.
bool machine_asleep(unsigned core);

// Lets other threads run; in loops that wait for them.
void machine_relax(void);

// An interrupt of a device that comes to core `core`: what cpu/interrupt.c does.
void machine_interrupt(unsigned core);

// Ends the test program when the expression is false, on any thread.
#define CHECK(expression) ((expression) ? (void)0 : machine_fail(__FILE__, __LINE__, #expression))
void machine_fail(const char *file, int line, const char *what) __attribute__((noreturn));
