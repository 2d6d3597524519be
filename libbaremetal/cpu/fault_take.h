// Exceptions that somebody takes, so that they do not end the machine: only in images where somebody does.
// SPDX-License-Identifier: MIT
#pragma once

#include "core.h"

// Who may take an exception; on the list for ever.
struct bm_fault_taker {
    // Looks at an exception, and changes where and with which registers the interrupted code goes on. Returns
    // false when it is not its own: then nothing is changed. Called on the core's stack for faults, of
    // INTERRUPT_STACK_SIZE, with interrupts off, in the middle of whatever was interrupted: it may take locks
    // only after it has seen that this was the program's text, or that nobody who holds them can have caused
    // it, and must not fault itself.
    bool (*take)(struct bm_fault_frame *frame);
    bool early;                          // asked before those that are not
    struct bm_fault_taker *_Atomic next; // of the list
};

// Has it asked from now on, before those that are there: by exceptions that instructions of the program
// cause (0, 1, 3 to 6, 11 to 14, 16, 17, 19), on every core. Any core, not in handlers; once.
void bm_fault_taker_add(struct bm_fault_taker *taker);

// fault_taken.S calls it.
void bm_fault_take(struct bm_fault_frame *frame);
