// An invented controller of Intel's with advanced descriptors: its registers, and its place on the bus.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/net/advanced/advanced.h"

#include <baremetal/interrupt.h>

// A family: its registers behave as its datasheet says.
struct card_kind {
    uint16_t device;        // its number on PCI
    unsigned receive, send; // the first rings
    void (*power_on)(void); // with a link, and the address 52:54:00:12:34:56
    uint32_t (*read)(unsigned offset);
    void (*write)(unsigned offset, uint32_t value);
    void (*interrupts)(unsigned message); // what that masks
};
extern const struct card_kind card_igb, card_ixgbe;

// What it is like, and what has happened to it. A register reads as it was written but for those that the
// datasheet makes different: a reset ends and empties them, a mask is set and cleared by two, causes are gone
// when they were read, a PHY answers.
struct card {
    const struct card_kind *kind;
    uint32_t registers[REGISTERS_SIZE / 4];
    bool never_ready;             // its memory does not get ready after a reset
    bool never_resets, gone;      // gone: pulled out
    bool ring_stands, phy_silent; // a ring never runs; the PHY does not answer
    bool firmware_keeps;          // the firmware has the PHY
    unsigned messages;            // MSI-X messages that it has; 0: none
    bool has_message, has_line;   // … MSI; a line
    bool disabled;                // by bm_pci_disable
    unsigned resets, phy_writes;  //
    uint32_t phy;                 // what was written to the PHY last
    uint32_t causes, causes_mask; // ICR, and what IMS and IMC have made
    uint32_t vectors_mask;        // … EIMS and EIMC
    bm_interrupt_handler handlers[2], line_handler;
    void *handler_arg;
    unsigned aimed[2]; // cores that the messages are aimed at
    struct bm_pci_device *pci;
    const char *const *mtu_words; // of the command line, the last one NULL
};
extern struct card card;

// A message or the line, as the device raises it.
void card_interrupts(unsigned message);
