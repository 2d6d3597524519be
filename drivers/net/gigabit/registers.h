// Registers and descriptors of Intel's 8254x and 82574 gigabit controllers.
// SPDX-License-Identifier: MIT
//
// "Manual" is Intel's PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual (8254x,
// 317453), "82574" the 82574 GbE Controller Family Datasheet (revision 3.4). What has no name in front is of
// the manual.
#pragma once

#include <stdint.h>

enum gigabit_register {
    CTRL = 0x0000,         // device control (section 13.4.1)
    STATUS = 0x0008,       // (section 13.4.2)
    EERD = 0x0014,         // EEPROM read (section 13.4.4)
    CTRL_EXT = 0x0018,     // (section 13.4.6)
    FCAL = 0x0028,         // flow control (section 13.4.8)
    FCAH = 0x002c,         //
    FCT = 0x0030,          //
    ICR = 0x00c0,          // interrupt causes (section 13.4.17)
    ITR = 0x00c4,          // interrupt throttling (section 13.4.18)
    IMS = 0x00d0,          // mask: set (section 13.4.20)
    IMC = 0x00d8,          // … clear (section 13.4.21)
    EIAC = 0x00dc,         // causes that their message clears (82574 section 7.4)
    IAM = 0x00e0,          // … that acknowledging masks
    IVAR = 0x00e4,         // messages of the causes
    EITR = 0x00e8,         // throttling of each message
    RCTL = 0x0100,         // receive control (section 13.4.22)
    FCTTV = 0x0170,        // flow control
    TCTL = 0x0400,         // transmit control (section 13.4.33)
    TIPG = 0x0410,         // gap between frames (section 13.4.34)
    RDBAL = 0x2800,        // receive ring (sections 13.4.25 to 13.4.29)
    RDBAH = 0x2804,        //
    RDLEN = 0x2808,        //
    RDH = 0x2810,          //
    RDT = 0x2818,          //
    RDTR = 0x2820,         // receive delay (section 13.4.30)
    TDBAL = 0x3800,        // transmit ring (sections 13.4.36 to 13.4.40)
    TDBAH = 0x3804,        //
    TDLEN = 0x3808,        //
    TDH = 0x3810,          //
    TDT = 0x3818,          //
    TIDV = 0x3820,         // transmit delay
    TXDCTL = 0x3828,       // thresholds (section 13.4.43)
    TARC = 0x3840,         // arbitration (82574 section 10.2.6)
    RXCSUM = 0x5000,       // receive checksum (section 13.4.47)
    RFCTL = 0x5008,        // receive filters (82574 section 10.2.5)
    RAL = 0x5400,          // receive address (sections 13.5.2, 13.5.3): 16 pairs, 15 have the 82574
    RAH = 0x5404,          //
    MRQC = 0x5818,         // several queues (82574 section 10.2.5)
    GIGABIT_SIZE = 1 << 17 // of the register space
};

enum gigabit_control {
    CTRL_FULL_DUPLEX = 1 << 0,
    CTRL_MASTER_DISABLE = 1 << 2, // 82574: no more DMA
    CTRL_AUTO_SPEED = 1 << 5,
    CTRL_LINK_UP = 1 << 6,
    CTRL_RESET = 1 << 26,
    CTRL_EXT_AUTO_MASK = 1 << 27 // 82574: IAM says what acknowledging masks, and nothing else does
};

enum gigabit_status {
    STATUS_LINK = 1 << 1,
    STATUS_PCIX = 1 << 13,
    STATUS_MASTER = 1 << 19 // 82574: DMA is under way or may begin
};

enum gigabit_cause {
    CAUSE_TRANSMITTED = 1 << 0,
    CAUSE_LINK = 1 << 2,
    CAUSE_RECEIVE_FEW = 1 << 4,
    CAUSE_RECEIVE_OVERRUN = 1 << 6,
    CAUSE_RECEIVED = 1 << 7,
    // 82574, with MSI-X (section 7.4):
    CAUSE_QUEUE_RECEIVE = 1 << 20,
    CAUSE_QUEUE_TRANSMIT = 1 << 22,
    CAUSE_OTHER = 1 << 24,
    CAUSES_OTHER = CAUSE_OTHER | CAUSE_LINK | CAUSE_RECEIVE_OVERRUN | 1 << 9 | 1 << 16 | 1 << 17 | 1 << 18
};

enum gigabit_receive_control {
    RCTL_ENABLE = 1 << 1,
    RCTL_ALL_GROUPS = 1 << 4, // every multicast frame
    RCTL_LONG = 1 << 5,       // frames of more than 1,522 bytes
    RCTL_BROADCAST = 1 << 15,
    RCTL_BUFFERS_2048 = 0 << 16,
    RCTL_BUFFERS_1024 = 1 << 16,
    RCTL_STRIP_CRC = 1 << 26
};

enum {
    TCTL_ENABLE = 1 << 1,
    TCTL_PAD = 1 << 3,
    TCTL_COLLISIONS = 0x0f << 4,
    TCTL_DISTANCE = 0x40 << 12, // full duplex
    TIPG_COPPER = 8 | 8 << 10 | 6 << 20,
    TXDCTL_DESCRIPTORS = 1 << 24, // thresholds count descriptors
    TXDCTL_82574 = 1 << 22,       // has to be set (82574 section 10.2.6)
    TARC_82574 = 1 << 26,         // likewise
    RXCSUM_IP = 1 << 8,
    RXCSUM_TCP_UDP = 1 << 9,
    RFCTL_PLAIN = 1 << 6 | 1 << 7 | 1 << 12, // no look at NFS, no interrupt for each ACK
    RFCTL_EXTENDED = 1 << 15,
    RAH_VALID = 1u << 31,
    IVAR_VALID = 8 // of each of its fields of four bits
};

// A descriptor as four words: address, and what depends on its kind.
struct gigabit_descriptor {
    uint64_t address;
    uint32_t low, high;
};
_Static_assert(sizeof(struct gigabit_descriptor) == 16, "section 3.2.3");

// Of received frames (sections 3.2.3.1 and 3.2.3.2); the extended format has them at other places
// (82574 section 7.1).
enum gigabit_received {
    RECEIVED_DONE = 1 << 0,
    RECEIVED_END = 1 << 1, // of the frame
    RECEIVED_IGNORE_SUMS = 1 << 2,
    RECEIVED_UDP_SUMMED = 1 << 4, // extended format
    RECEIVED_TCP_SUMMED = 1 << 5, // TCP or UDP
    RECEIVED_ERRORS = 0x97,       // errors: CRC, symbol, sequence, carrier extension, data
    RECEIVED_SUM_ERRORS = 0x60    // errors: TCP or UDP checksum, IP checksum
};

// Of frames to send: legacy bits and those of sections 3.3.6 and 3.3.7.
#define SEND_END         (1u << 24)
#define SEND_CRC         (1u << 25)
#define SEND_SEGMENTS    (1u << 26)
#define SEND_REPORT      (1u << 27)
#define SEND_EXTENDED    (1u << 29)
#define SEND_DATA        (1u << 20)
#define CONTEXT_TCP      (1u << 24)
#define CONTEXT_IP4      (1u << 25)
#define CONTEXT_SEGMENTS (1u << 26)
enum { SENT_DONE = 1, OPTION_IP_SUM = 1 << 8, OPTION_SUM = 2 << 8 };
