// The kernel around the AHCI driver, for test_ahci.c: what it was asked for, and the disk that the driver
// added.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/block/ahci/ahci.h"

extern unsigned errors, warnings, disabled, aimed, low_memory;
extern uint64_t now;
extern struct bm_blockdev *disk;
extern struct bm_blockqueue *queue;
extern bm_interrupt_handler handler;
extern void *handler_arg;
extern bool messages; // by which the controller interrupts; else by its line

// The memory that a device was given the address of.
void *at(uint64_t address);
void kernel_free(void);
