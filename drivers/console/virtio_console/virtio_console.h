// What the files of the virtio console driver share. Section numbers are those of VIRTIO 1.3.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/console.h>
#include <baremetal/lock.h>
#include <baremetal/virtio.h>
#include <baremetal/virtio_port.h>
#include <baremetal/wait.h>

enum {
    VIRTIO_CONSOLE_PORTS_MAX = 8, // that are used of a device's
    VIRTIO_CONSOLE_PIECES = 4,    // receive buffers of a port
    VIRTIO_CONSOLE_PIECE = 512,   // bytes of each
    VIRTIO_CONSOLE_SEND = 2048,   // bytes of the one that is sent from
};

// A receive buffer: with the device, or in the port's list.
struct virtio_console_piece {
    struct virtio_console_piece *next;
    unsigned char *data;
    uint32_t length, taken; // bytes that have come; those that were read
};

struct bm_virtio_port {
    struct bm_console console; // first: of a port that is one
    struct virtio_console *owner;
    unsigned number;
    bm_atomic_bool added, is_console, connected, open;
    bool is_listed; // among the consoles, for ever
    char name[BM_VIRTIO_PORT_NAME_MAX];

    struct bm_spinlock lock; // of what is received
    struct bm_virtqueue receive;
    struct virtio_console_piece pieces[VIRTIO_CONSOLE_PIECES];
    BM_ATOMIC(struct virtio_console_piece *) first; // that have come
    struct virtio_console_piece *last;

    bm_atomic_bool sending; // the lock of what is sent, for which nobody waits long
    struct bm_virtqueue transmit;
    unsigned char *send;  // VIRTIO_CONSOLE_SEND bytes
    bm_atomic_bool busy;  // the device has them
    bm_atomic_bool freed; // … and has given them back, which the poller has not told yet
    bool stalled;         // it has had them for so long that nobody waits any more
};

// What goes through the control queues (section 5.3.6.2).
struct virtio_console_control {
    uint32_t port;
    uint16_t event, value;
};

// QEMU loses what finds no buffer: there are as many as its 31 ports say at once.
enum {
    VIRTIO_CONSOLE_CONTROLS = 32,                      // messages that may be under way to the device
    VIRTIO_CONSOLE_NOTES = 64,                         // buffers for those that come …
    VIRTIO_CONSOLE_NOTE = 8 + BM_VIRTIO_PORT_NAME_MAX, // … and their bytes
    VIRTIO_CONSOLE_BATCH = 16
};

struct virtio_console {
    struct bm_virtio_device *device;
    struct bm_poller poller;
    bool several;               // VIRTIO_CONSOLE_F_MULTIPORT
    bm_atomic_bool broken_told; // by the poller, to those that wait
    unsigned port_count;
    struct bm_virtio_port *ports;

    struct bm_virtqueue control_receive; // in the poller
    unsigned char (*notes)[VIRTIO_CONSOLE_NOTE];
    struct bm_spinlock lock; // of what follows
    struct bm_virtqueue control_transmit;
    struct virtio_console_control *controls;
    uint32_t controls_free; // one bit each

    struct virtio_console *next;
};

extern struct virtio_console *bm_virtio_console_first;

// virtio_console_control.c
int bm_virtio_console_control_start(struct virtio_console *self);
void bm_virtio_console_control_say(struct virtio_console *self, unsigned port, unsigned event,
                                   unsigned value);
bool bm_virtio_console_control_poll(struct virtio_console *self);
void bm_virtio_console_control_ready(struct virtio_console *self);
void bm_virtio_console_port_open_say(struct bm_virtio_port *port);

// virtio_console_port.c: makes a port's queues; gives the device its receive buffers, once it is live; takes
// what has come and what has gone, and hands a console's keys on; asks for interrupts, true if there is
// something to look at; writes to a console.
int bm_virtio_console_port_create(struct bm_virtio_port *port);
void bm_virtio_console_port_fill(struct bm_virtio_port *port);
bool bm_virtio_console_port_poll(struct bm_virtio_port *port);
bool bm_virtio_console_port_arm(struct bm_virtio_port *port);
void bm_virtio_console_port_list(struct bm_virtio_port *port);
