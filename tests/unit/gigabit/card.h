// An invented gigabit controller of Intel's: its registers, and its place on the bus.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/net/gigabit/gigabit.h"

#include <baremetal/interrupt.h>

// What it is like, and what has happened to it. A register reads as it was written, but that EERD is done at
// once and a reset ends.
struct card {
    uint32_t registers[GIGABIT_SIZE / 4];
    bool never_resets, gone, has_line; // gone: pulled out
    bool disabled;                     // by bm_pci_disable
    unsigned resets;
    bm_interrupt_handler line_handler;
    void *line_arg;
    const char *const *mtu_words; // of the command line, the last one NULL
};
extern struct card card;
