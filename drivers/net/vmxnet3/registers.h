// Registers, descriptors and shared memory of VMware's vmxnet3.
// SPDX-License-Identifier: MIT
//
// There is no public data sheet. The layout is the one that VMware published with its drivers (revision 1 of
// the device, version 1 of its "UPT" part), and QEMU's device agrees with. All of it is little-endian.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Of base address register 0: what is written for each batch.
enum vmxnet3_door {
    INTERRUPT_MASK = 0x000, // 8 bytes for each interrupt: 1 masks, 0 unmasks
    SEND_DOOR = 0x600,      // index behind the last descriptor to send
    RECEIVE_DOOR = 0x800,   // … behind the last buffer, of ring 1
    BODIES_DOOR = 0xa00,    // … of ring 2
    DOORS_SIZE = 4096
};

// Of base address register 1.
enum vmxnet3_register {
    REVISION = 0x00,     // read: bit i says that revision i + 1 is there; written: the one that is chosen
    UPT_REVISION = 0x08, // likewise
    SHARED_LOW = 0x10,   // address of struct vmxnet3_shared
    SHARED_HIGH = 0x18,
    COMMAND = 0x20, // written: enum vmxnet3_command; then read: its answer
    MAC_LOW = 0x28,
    MAC_HIGH = 0x30,
    CAUSES = 0x38, // of the line: 1 when it was this device; reading lowers the line
    EVENTS = 0x40, // written: bits of `events` of the shared memory to clear
    REGISTERS_SIZE = 4096
};

enum vmxnet3_command {
    COMMAND_ACTIVATE = (int)0xcafe0000, // answers 0 when it works
    COMMAND_QUIESCE = (int)0xcafe0001,
    COMMAND_RESET = (int)0xcafe0002,
    COMMAND_RECEIVE_MODE = (int)0xcafe0003,
    COMMAND_STATISTICS = (int)0xf00d0001, // brings those of the queues up to date
    COMMAND_LINK = (int)0xf00d0002        // answers bit 0: there is a link; bits 16 up: Mbit/s
};

enum vmxnet3_event { EVENT_RECEIVE_ERROR = 1, EVENT_SEND_ERROR = 2, EVENT_LINK = 4 };
enum vmxnet3_receive_mode { MODE_STATION = 1, MODE_BROADCAST = 4, MODE_ALL_GROUPS = 8 };

enum {
    SHARED_MAGIC = (int)0xbabefee1,
    GUEST_LINUX_64 = 1 << 2 | 2, // frames may lie in several buffers
    FEATURE_CHECKSUM = 1,        // received frames' sums are verified
    MODERATION_ADAPTIVE = 8,
    INTERRUPTS_MAX = 25
};

// What driver and device share.
struct vmxnet3_shared {
    uint32_t magic, pad1;
    uint32_t driver_version, guest, revision, upt_revision;
    uint64_t features, driver_data, queues;
    uint32_t driver_data_length, queues_length;
    uint32_t mtu;
    uint16_t buffers_max; // of a received frame
    uint8_t send_queues, receive_queues;
    uint32_t reserved1[4];
    uint8_t automask, interrupts, event_interrupt, moderation[INTERRUPTS_MAX];
    uint32_t interrupt_control, reserved2[2];
    uint32_t receive_mode;
    uint16_t groups_length, pad2;
    uint64_t groups;
    uint32_t vlans[4096 / 32]; // those whose frames are taken
    struct {
        uint32_t version, length;
        uint64_t address;
    } more[3];
    uint32_t events; // the device's
    uint32_t reserved3[5];
};
_Static_assert(offsetof(struct vmxnet3_shared, moderation) == 83, "");
_Static_assert(offsetof(struct vmxnet3_shared, receive_mode) == 120, "");
_Static_assert(offsetof(struct vmxnet3_shared, events) == 696, "");
_Static_assert(sizeof(struct vmxnet3_shared) == 720, "");

struct vmxnet3_send_queue {
    uint32_t waiting, threshold;
    uint64_t reserved1, ring, data_ring, completions, driver_data, reserved2;
    uint32_t ring_size, data_ring_size, completions_size, driver_data_length;
    uint8_t interrupt, pad1[7];
    uint8_t stopped, pad2[3];
    uint32_t error;
    uint64_t statistics[10];
    uint8_t pad3[88];
};
_Static_assert(sizeof(struct vmxnet3_send_queue) == 256, "");

struct vmxnet3_receive_queue {
    uint8_t door_wanted, pad1[7]; // the device's: it wants to be told of buffers
    uint64_t reserved1, rings[2], completions, driver_data, reserved2;
    uint32_t ring_sizes[2], completions_size, driver_data_length;
    uint8_t interrupt, pad2[7];
    uint8_t stopped, pad3[3];
    uint32_t error;
    uint64_t statistics[8], missed, wrong; // frames: that found no buffer; with an error
    uint8_t pad4[88];
};
_Static_assert(sizeof(struct vmxnet3_receive_queue) == 256, "");

struct vmxnet3_queues {
    struct vmxnet3_send_queue send;
    struct vmxnet3_receive_queue receive;
};

// A descriptor of the rings for frames to send and for buffers.
struct vmxnet3_descriptor {
    uint64_t address;
    uint32_t low, high;
};

// To send: low has the length (14 bits; 0 means 16,384), the generation, and from bit 18 on 14 bits: the
// segments' payload, or where the sum is to go. high has ten bits: the headers' length, or where to sum from.
#define SEND_GENERATION  (1u << 14)
#define SEND_PLACE_SHIFT 18
#define SEND_SUM         (2u << 10)
#define SEND_SEGMENTS    (3u << 10)
#define SEND_END         (1u << 12)
#define SEND_REPORT      (1u << 13)
enum { SEND_LENGTH_MASK = (1 << 14) - 1, SEND_PLACE_MAX = (1 << 14) - 1, SEND_HEADER_MAX = (1 << 10) - 1 };

// A buffer: low has the length (14 bits) and the generation.
#define BUFFER_GENERATION (1u << 31)
#define BUFFER_BODY       (1u << 14) // no frame begins there

struct vmxnet3_completion {
    uint32_t words[4];
};
// Of sent frames: word 0 has the index of the frame's last descriptor (12 bits). Of received ones: the
// buffer's, and the queue (of ring 2: plus 1).
#define COMPLETION_GENERATION (1u << 31) // of word 3
enum { COMPLETION_INDEX_MASK = (1 << 12) - 1 };
#define RECEIVED_END      (1u << 14) // of word 0
#define RECEIVED_START    (1u << 15)
#define RECEIVED_QUEUE    (0x3ffu << 16)
#define RECEIVED_BODIES   (1u << 16) // ring 2, of one queue
#define RECEIVED_NO_SUM   (1u << 30)
#define RECEIVED_LENGTH   0x3fffu // of word 2
#define RECEIVED_ERROR    (1u << 14)
#define RECEIVED_SUM_GOOD (1u << 16) // of word 3
#define RECEIVED_UDP      (1u << 17)
#define RECEIVED_TCP      (1u << 18)
#define RECEIVED_FRAGMENT (1u << 22)
