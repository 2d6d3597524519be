// An invented machine for the virtio network driver: the kernel's services, and a device that the test plays.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/memory.h>
#include <baremetal/virtio.h>
#include <baremetal/wait.h>

// The kernel: frames come from one block, so that addresses are known; what the device is
// given are offsets in it plus BASE.
enum { BASE = 0x100000, FRAMES = 2048, QUEUES = 9 };
extern unsigned char *frames;
extern unsigned frames_used, errors, wakes; // errors logged, calls of bm_core_wake
extern uint64_t memory_total;
extern struct bm_poller *poller; // the last one added
extern struct bm_poller *bound;  // the last one bound, and to which core
extern unsigned bound_core;
extern unsigned cores;

// The device.
extern uint8_t status, config[12];
extern uint64_t offered, accepted; // features
extern bool no_interrupts;
extern bool status_stuck;   // nothing that the driver writes changes it
extern unsigned queue_size; // that all queues may have
extern unsigned pairs;      // with more than one, there is a control queue behind them
extern struct bm_virtqueue *queues[QUEUES];
extern uint16_t seen[QUEUES];      // chains that the device has taken
extern unsigned notified[QUEUES];  // doorbells
extern unsigned aimed[1 + QUEUES]; // cores that the interrupts are aimed at
extern struct machine_command {    // the last one in the control queue, and how it is answered
    uint8_t kind[2], answer;
    bool silent;
    uint16_t pairs;
    unsigned count;
} command;
extern const struct bm_virtio_transport transport;

unsigned device_waiting(unsigned number);
uint16_t device_take(unsigned number);
void device_return(unsigned number, uint32_t id, uint32_t length);

// A frame from the wire: `length` bytes, each `fill`.
void device_receives(unsigned length, uint8_t fill, uint8_t flags);
void device_receives_at(unsigned number, unsigned length, uint8_t fill, uint8_t flags); // into that queue

// An empty machine. Its memory is what `frames` points to.
void machine_reset(void);

// One of a frame's buffers, which holds `length` bytes, each `fill`; `count` of them make a frame, whose
// header is in the first one.
void device_receives_part(unsigned length, uint8_t fill, bool first, uint8_t gso_type, uint16_t count);

// Reads the next frame that was sent into buffer, the 12 bytes of its header first. Returns its length.
unsigned device_sends(unsigned char *buffer, uint16_t *id);
