// An invented vmxnet3: its registers, its place on the bus, and what it does with the driver's rings.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/net/vmxnet3/vmxnet3.h"

// What it is like, and what has happened to it.
struct card {
    uint32_t revisions, link, refuses; // refuses: its answer to the command to start
    bool gone, messages, line;         // pulled out; has MSI-X; has a line
    bool disabled;                     // by bm_pci_disable
    unsigned resets, starts, doorbells, unmasked[2];
    uint32_t send_door, last_command;
    uint64_t missed; // frames that found no buffer, as it says
    unsigned receive_next, bodies_next, receive_done, send_next, send_done; // numbers, counted on for ever
    const char *const *mtu_words; // of the command line, the last one NULL
    bm_interrupt_handler handler;
    void *handler_arg;
};
extern struct card card;
extern struct bm_pci_device card_pci;

// A working card with a link, and the device that the driver attaches to.
void card_reset(void);

// Writes a completion of the next buffer as it should be, but for what is said: `index` and `length` are
// changed by what is not 0.
void card_receives(unsigned length, uint32_t word0, uint32_t word2, uint32_t word3);

// A jumbo frame goes on in the next buffer of ring 2.
void card_goes_on(unsigned length, uint32_t word0, uint32_t word3);

// Reads the next frame that was given to it into `buffer` (NULL: nowhere). Returns its length; 0: there is
// none. What the first descriptor says comes in *first, the number of descriptors in *count.
unsigned card_sends(unsigned char *buffer, struct vmxnet3_descriptor *first, unsigned *count);

// Says that the frames that it has read so far up to the descriptor before `send_next` have left.
void card_sent(void);
