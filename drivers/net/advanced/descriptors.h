// Advanced descriptors and the registers of a ring: Intel's controllers from the 82576 and 82599 on.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87); the 82599's (331520) has the same formats
// in its sections 7.1.6 and 7.2.3.
#pragma once

#include <stdint.h>

// Registers of one ring, counted from its first one (sections 8.10 and 8.12). SRRCTL is elsewhere in each
// family.
enum advanced_ring {
    RING_LOW = 0x00,     // its address
    RING_HIGH = 0x04,    //
    RING_LENGTH = 0x08,  // bytes
    RING_HEAD = 0x10,    //
    RING_TAIL = 0x18,    // the doorbell
    RING_CONTROL = 0x28, // thresholds, and whether it runs
    RING_STRIDE = 0x40   // from one queue to the next
};

enum {
    RING_ENABLE = 1 << 25,
    // Prefetch below 8 descriptors, when one is there; those that ask are written back.
    RING_THRESHOLDS_SEND = 8 | 1 << 8,
    SPLIT_ADVANCED = 1 << 25, // advanced descriptors, headers are not split off
};

// A descriptor as four words: address, and what depends on its kind.
struct advanced_descriptor {
    uint64_t address;
    uint32_t low, high;
};
_Static_assert(sizeof(struct advanced_descriptor) == 16, "sections 7.1.5 and 7.2.2");

// What the device writes back of received frames: `low` is status and errors, `high` the length and a VLAN
// tag (section 7.1.5.2). Where the errors are is each family's own.
enum advanced_received {
    RECEIVED_DONE = 1 << 0,
    RECEIVED_END = 1 << 1, // of the frame
    RECEIVED_SUMMED = 1 << 5
};

// Data descriptors: `low` is length and command, `high` the status, what is to be done, and the length of all
// that is sent (section 7.2.2.3).
#define SEND_DATA        (3u << 20)
#define SEND_CONTEXT     (2u << 20)
#define SEND_END         (1u << 24)
#define SEND_CRC         (1u << 25)
#define SEND_REPORT      (1u << 27)
#define SEND_EXTENDED    (1u << 29)
#define SEND_SEGMENTS    (1u << 31)
#define SEND_TOTAL_SHIFT 14
enum { SENT_DONE = 1, OPTION_CONTEXT = 1 << 7, OPTION_IP_SUM = 1 << 8, OPTION_SUM = 1 << 9 };

// Context descriptors (section 7.2.2.2): the first word is the lengths of the headers, the third the kinds,
// the fourth TCP's header and segments.
enum {
    CONTEXT_IP4 = 1 << 10,
    CONTEXT_TCP = 1 << 11, // else UDP
    CONTEXT_ETHERNET_SHIFT = 9,
    CONTEXT_ETHERNET_MAX = 0x7f,
    CONTEXT_IP_MAX = 0x1ff,
    CONTEXT_TCP_SHIFT = 8,
    CONTEXT_SEGMENT_SHIFT = 16
};
