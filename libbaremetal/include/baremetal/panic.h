// The end of the machine: orderly (exit) and otherwise (panic).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Prints `panic: …` with a backtrace on every console, stops all cores and ends the machine with a failing
// status. For errors that leave nothing to go on with. Any core, any context.
void bm_panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

// Powers the machine off: isa-debug-exit under QEMU (so that the status is visible), ACPI S5, reset, halt:
// the first that works. `status` is the program's exit status; BM_POWER_FAULT stands for a fault or a panic.
// Any core, any context.
void bm_power_off(int status) __attribute__((noreturn));

enum { BM_POWER_FAULT = 256 }; // no exit status of a program

// Prints the backtrace that starts at the address `instruction` with `frame_pointer` as image-relative
// addresses, with function names when the image carries its symbols. Any context.
void bm_backtrace_print(uint64_t instruction, uint64_t frame_pointer);

#ifdef __cplusplus
}
#endif
