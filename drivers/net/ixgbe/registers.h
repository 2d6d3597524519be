// Registers of Intel's 10 GbE controllers 82599, X540 and X550.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82599 10 GbE Controller datasheet (331520, revision 3.4).
#pragma once

enum ixgbe_register {
    CTRL = 0x0000,          // device control (section 8.2.3.1.1)
    STATUS = 0x0008,        // (section 8.2.3.1.2)
    CTRL_EXT = 0x0018,      // (section 8.2.3.1.3)
    ESDP = 0x0020,          // software defined pins (section 8.2.3.1.4)
    EICR = 0x0800,          // interrupt causes (section 8.2.3.5)
    EIAC = 0x0810,          // … that their message clears
    EITR = 0x0820,          // … throttling, of each message
    EIMS = 0x0880,          // … mask: set
    EIMC = 0x0888,          // … clear
    EIAM = 0x0890,          // … that mask themselves
    GPIE = 0x0898,          // what interrupts do
    IVAR = 0x0900,          // messages of the queues
    IVAR_MISC = 0x0a00,     // … of the rest
    RECEIVE_RING = 0x1000,  // (section 8.2.3.8)
    RECEIVE_DCA = 0x100c,   // DCA_RXCTRL
    RECEIVE_SPLIT = 0x1014, // SRRCTL
    RDRXCTL = 0x2f00,       // receive DMA (section 8.2.3.8.8)
    RXCTRL = 0x3000,        // receive control (section 8.2.3.8.10)
    FCCFG = 0x3d00,         // flow control (section 8.2.3.3)
    MPC = 0x3fa0,           // frames missed (section 8.2.3.23.4)
    HLREG0 = 0x4240,        // MAC (section 8.2.3.22.8)
    MAXFRS = 0x4268,        // longest frame (section 8.2.3.22.13)
    MFLCN = 0x4294,         // flow control of what comes (section 8.2.3.22.34)
    LINKS = 0x42a4,         // (section 8.2.3.22.20)
    DMATXCTL = 0x4a80,      // transmit DMA (section 8.2.3.9.2)
    FCTRL = 0x5080,         // receive filters (section 8.2.3.7.1)
    SEND_RING = 0x6000,     // (section 8.2.3.9)
    SECRXCTRL = 0x8d00,     // the receive path (section 8.2.3.12.5)
    SECRXSTAT = 0x8d04,     //
    RAL = 0xa200,           // receive addresses (section 8.2.3.7.9): 128 pairs
    RAH = 0xa204,           //
    MRQC = 0xec80,          // several queues (section 8.2.3.7.12)
    EEC = 0x10010           // EEPROM control (section 8.2.3.2.1)
};

enum {
    CTRL_EXT_NO_SNOOP_OFF = 1 << 16, // section 4.6.7 wants it
    CTRL_EXT_DRIVER = 1 << 28,       // the firmware leaves the device to the driver
    ESDP_LASER_OFF = 1 << 3,         // of a port with an SFP+ module (section 8.2.3.1.4)
    EEC_AUTO_READ_DONE = 1 << 9,
    CAUSE_FRAMES = 1 << 0, // of message 0
    CAUSE_LINK = 1 << 20,
    GPIE_MESSAGES = 1 << 4,   // MSI-X
    GPIE_AUTO_MASK = 1 << 30, // EIAM counts
    IVAR_VALID = 1 << 7,
    IVAR_SEND_SHIFT = 8,            // of queue 0
    IVAR_OTHER_SHIFT = 8,           // of IVAR_MISC
    RECEIVE_DCA_RESERVED = 1 << 12, // has to be 0
    RDRXCTL_STRIP_CRC = 1 << 1,     // as HLREG0 says
    RDRXCTL_DMA_READY = 1 << 3,
    RDRXCTL_FIRST = 0x1f << 17,        // has to be 0
    RDRXCTL_FIXED = 1 << 25 | 1 << 26, // … to be 1
    RXCTRL_ENABLE = 1 << 0,
    HLREG0_SEND_CRC = 1 << 0,
    HLREG0_STRIP_CRC = 1 << 1,
    HLREG0_LONG = 1 << 2, // frames of up to MAXFRS bytes
    HLREG0_PAD = 1 << 10,
    MAXFRS_SHIFT = 16,
    LINKS_UP = 1 << 30,
    DMATXCTL_ENABLE = 1 << 0,
    FCTRL_ALL_GROUPS = 1 << 8,
    FCTRL_BROADCAST = 1 << 10,
    SECRXCTRL_OFF = 1 << 1,
    SECRXSTAT_READY = 1 << 0
};
#define GPIE_PENDING_CLEAR  (1u << 31)
#define RAH_VALID           (1u << 31)
#define RECEIVED_ERROR      (1u << 29) // section 7.1.6.2
#define RECEIVED_SUM_ERRORS (3u << 30)
