// Registers of Intel's gigabit controllers from the 82576 on: I350, I210, I211.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87).
#pragma once

enum igb_register {
    CTRL = 0x0000,      // device control (section 8.2.1)
    STATUS = 0x0008,    // (section 8.2.2)
    EEC = 0x0010,       // EEPROM control (section 8.4.1)
    CTRL_EXT = 0x0018,  // (section 8.2.3)
    MDIC = 0x0020,      // the PHY's registers (section 8.2.4)
    FCAL = 0x0028,      // flow control (section 8.6)
    FCAH = 0x002c,      //
    FCT = 0x0030,       //
    FCTTV = 0x0170,     //
    ICR = 0x00c0,       // interrupt causes (section 8.8.9)
    IMS = 0x00d0,       // mask: set
    IMC = 0x00d8,       // … clear
    IAM = 0x00e0,       // … causes that reading masks
    RCTL = 0x0100,      // receive control (section 8.10.1)
    TCTL = 0x0400,      // transmit control (section 8.12.1)
    EEMNGCTL = 0x1010,  // (section 8.4.5)
    GPIE = 0x1514,      // what interrupts do (section 8.8.13)
    EIMS = 0x1524,      // messages: mask, set (section 8.8.2)
    EIMC = 0x1528,      // … clear
    EIAC = 0x152c,      // … that clear their cause
    EIAM = 0x1530,      // … that mask themselves
    EITR = 0x1680,      // … throttling, of each (section 8.8.14)
    IVAR = 0x1700,      // … of the queues (section 8.8.15)
    IVAR_MISC = 0x1740, // … of the rest
    FCRTL = 0x2160,     // flow control: when to say that there is room again
    MPC = 0x4010,       // frames missed (section 8.18.4)
    RXCSUM = 0x5000,    // receive checksum (section 8.10.13)
    RLPML = 0x5004,     // longest frame (section 8.10.14)
    RFCTL = 0x5008,     // receive filters (section 8.10.15)
    RAL = 0x5400,       // receive address (sections 8.10.17, 8.10.18): 16 pairs, others have more
    RAH = 0x5404,       //
    MRQC = 0x5818,      // several queues (section 8.10.21)
    SWSM = 0x5b50,      // semaphore (section 8.16.1)
    SW_FW_SYNC = 0x5b5c,
    RECEIVE_RING = 0xc000,  // (section 8.10)
    RECEIVE_SPLIT = 0xc00c, // SRRCTL
    SEND_RING = 0xe000      // (section 8.12)
};

enum igb_control {
    CTRL_FULL_DUPLEX = 1 << 0,
    CTRL_LINK_UP = 1 << 6,
    CTRL_FORCED = 1 << 11 | 1 << 12, // speed, duplex
    CTRL_PAUSE = 1 << 27 | 1 << 28,  // receive, send
    CTRL_EXT_LINK_MODE = 3 << 22,    // 0: copper
    CTRL_EXT_DRIVER = 1 << 28,       // the firmware leaves the device to the driver
    EEC_AUTO_READ_DONE = 1 << 9,
    EEMNGCTL_CONFIGURED = 1 << 18, // of port 0; the next ports' follow
    STATUS_LINK = 1 << 1,
    STATUS_PORT_SHIFT = 2 // the port's number
};

enum igb_cause {
    CAUSE_TRANSMITTED = 1 << 0,
    CAUSE_LINK = 1 << 2,
    CAUSE_RECEIVE_FEW = 1 << 4,
    CAUSE_RECEIVE_OVERRUN = 1 << 6,
    CAUSE_RECEIVED = 1 << 7
};

enum {
    GPIE_NOT_SELECTIVE = 1 << 0, // reading ICR clears it whatever the mask is
    GPIE_MESSAGES = 1 << 4,      // MSI-X
    GPIE_AUTO_MASK = 1 << 30,    // EIAM counts
    IVAR_VALID = 1 << 7,
    IVAR_SEND_SHIFT = 8,  // of queue 0
    IVAR_OTHER_SHIFT = 8, // of IVAR_MISC
    RCTL_ENABLE = 1 << 1,
    RCTL_ALL_GROUPS = 1 << 4, // every multicast frame
    RCTL_LONG = 1 << 5,       // frames of up to RLPML bytes
    RCTL_BROADCAST = 1 << 15,
    RCTL_STRIP_CRC = 1 << 26,
    TCTL_ENABLE = 1 << 1,
    TCTL_PAD = 1 << 3,
    TCTL_COLLISIONS = 0x0f << 4,
    TCTL_DISTANCE = 0x40 << 12, // full duplex
    TCTL_LATE = 1 << 24,        // again after a late collision
    RXCSUM_IP = 1 << 8,
    RXCSUM_TCP_UDP = 1 << 9,
    RFCTL_PLAIN = 1 << 6 | 1 << 7, // no look at NFS
    RECEIVED_SUM_ERRORS = 3 << 29, // IP, TCP or UDP (section 7.1.5.2)
    SWSM_DRIVERS = 1 << 0,         // read as 0: it is ours now
    SWSM_FIRMWARE = 1 << 1,        // reads as written: it is ours
    SYNC_FIRMWARE_SHIFT = 16       // of SW_FW_SYNC: who else has a PHY
};
#define GPIE_PENDING_CLEAR (1u << 31)
#define RAH_VALID          (1u << 31)
#define RECEIVED_ERROR     (1u << 31)

enum igb_mdic {
    MDIC_REGISTER_SHIFT = 16,
    MDIC_PHY = 1 << 21, // its own; the I350 and later ones know it themselves
    MDIC_WRITE = 1 << 26,
    MDIC_READY = 1 << 28,
    MDIC_ERROR = 1 << 30
};

// The PHY's control register (IEEE 802.3 section 22.2.4.1).
enum { PHY_CONTROL = 0, PHY_RESTART = 1 << 9, PHY_NEGOTIATE = 1 << 12 };
