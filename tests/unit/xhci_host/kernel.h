// What the invented controller asks of the invented kernel.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/interrupt.h>
#include <baremetal/wait.h>
#include <stddef.h>
#include <stdint.h>

enum { KERNEL_REGISTERS = 0x4000 };

extern struct bm_poller *kernel_poller;
extern bm_interrupt_handler kernel_line;
extern void *kernel_line_arg;

// What the driver has there; ends the test when it is not the driver's.
void *kernel_at(uint64_t address, size_t length);
void kernel_free(void);
