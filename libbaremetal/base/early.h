// What the early boot code leaves behind for the kernel.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/boot.h>

// What early boot decided, and the memory that it used: no region of the map tells of it.
struct bm_boot_early {
    uint64_t image_physical, image_length;
    uint64_t early_physical, early_length; // page tables and the stack of main
    uint64_t stack_bottom, stack_top;      // virtual
    uint64_t device_next;                  // first free address of the device region
    uint64_t identity_page;                // of bm_boot_switch, to be unmapped
    uint64_t canary;                       // of the kernel's stack protector, one for all cores
    uint64_t seed;                         // for the random pool; in images without one, the program's canary
};

// Hidden, so that early boot computes their addresses and does not read them from the GOT, which it
// relocates.
extern struct bm_boot_early bm_boot_early_state __attribute__((visibility("hidden")));
extern struct bm_boot_info bm_boot_info __attribute__((visibility("hidden")));
