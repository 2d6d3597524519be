// The kernel around virtio's drivers of disks, for their tests: the disks that they added, what they logged.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/block.h>

extern unsigned errors;
extern struct bm_blockdev *added;
extern int add_result; // of bm_blockdev_add
extern uint64_t now;
extern const char *disk_prefix; // "vd"
extern struct bm_blockdev *disks[8];
extern unsigned disk_count;

// The memory that a device was given the address of.
void *at_dma(uint64_t address);
// A second.
void time_passes(void);
void kernel_free(void);
