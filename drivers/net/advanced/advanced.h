// What the drivers igb and ixgbe share: Intel's controllers with advanced descriptors.
// SPDX-License-Identifier: MIT
#pragma once

#include "../shared/frame.h"
#include "../shared/nic.h"
#include "descriptors.h"

#include <baremetal/lock.h>
#include <baremetal/netdev.h>
#include <baremetal/pci.h>
#include <baremetal/time.h>

#include <stdatomic.h>

enum {
    RECEIVE_MAX = 512,                  // descriptors of a receive ring: a power of two, at least 32
    SEND_COUNT = 256,                   // of a transmit ring
    BATCH = 32,                         // frames that one poll takes from each ring
    FILL_MIN = 16,                      // free receive descriptors that are worth a doorbell
    HEADER_SIZE = 128,                  // copied headers of a frame that is to be cut up
    PIECE_MAX = 8192,                   // bytes of a descriptor: of the 82599, below 15.5 KiB
    PIECES_MAX = 40,                    // descriptors of a frame: the 82599's (section 7.2.1.1)
    BOUNCES = 4,                        // places for what has more pieces
    BOUNCE_ORDER = 4,                   // of 64 KiB each
    BOUNCE_PIECES = 8,                  //
    FRAME_PAD = 17,                     // shorter ones the device does not pad (TCTL, section 8.12.1)
    RING_ALIGNMENT = 4096,              //
    REGISTERS_SIZE = 1 << 17,           // of the register space
    POLL_INTERVAL = 1000 * 1000,        // ns between looks at a device without interrupts
    LOOK_INTERVAL = 1000 * 1000 * 1000, // ns between looks at one with: what it says may get lost
    STUCK_MAX = 2000 * 1000 * 1000,     // ns for which no frame leaves
    RESTARTS_MAX = 5                    // without a frame that left in between
};

_Static_assert(BM_PAGE_SIZE << BOUNCE_ORDER == BOUNCE_PIECES * PIECE_MAX, "what a place holds");

struct advanced;

// What differs from family to family: places of registers, and what is done to the whole device. Each
// function runs in the poller, or before there is one.
struct advanced_family {
    const char *name;         // the driver's
    uint16_t mtu_max;         // of its longest frames, header, VLAN tag and CRC left out
    uint32_t receive, send;   // registers of the first ring
    uint32_t split;           // SRRCTL of the first receive ring
    uint32_t thresholds;      // of a receive ring
    uint32_t errors;          // of a received frame: it is dropped
    uint32_t sum_errors;      // … its checksum is wrong
    uint32_t vectors_set;     // register that lets messages through, a bit for each (EIMS)
    uint32_t causes_get;      // without MSI-X: reading it says and clears the causes (ICR, EICR)
    uint32_t causes_set;      // … lets them through (IMS, EIMS)
    uint32_t causes_clear;    // … masks them (IMC, EIMC)
    uint32_t causes_frames;   // … of received frames
    uint32_t cause_sent;      // … of sent ones
    uint32_t cause_link;      // … of the link
    uint32_t status;          // a register that is never all ones
    bool needs_context_index; // data descriptors say whether they have a context (CC)

    // Stops the device for good: no interrupt, no frame.
    void (*stop)(struct advanced *self);
    // Stops and resets it. Returns false when it does not come back.
    bool (*reset)(struct advanced *self);
    // Reads the address that the firmware or the EEPROM has put into the registers. False: none is valid.
    bool (*address_read)(struct advanced *self, unsigned char *mac);
    // Programs what concerns all rings, of a device that has been reset.
    void (*program)(struct advanced *self);
    // Lets frames out; lets frames in. The rings are programmed.
    void (*send_start)(struct advanced *self);
    void (*receive_start)(struct advanced *self);
    // Assigns messages to queues and to the rest, and lets them through. With MSI-X.
    void (*messages_start)(struct advanced *self);
    // Prepares one interrupt for everything, without MSI-X.
    void (*line_start)(struct advanced *self);
    // Whether sent frames are to interrupt, too: when the ring is full. With MSI-X, or where
    // they have no cause of their own.
    void (*sent_interrupt)(struct advanced *self, bool on);
    // Acknowledges an event of the link and asks for the next one. With MSI-X.
    void (*link_acknowledge)(struct advanced *self);
    // Whether there is a link.
    bool (*link_read)(struct advanced *self);
    // Frames that the device has dropped since the last call.
    uint32_t (*missed_read)(struct advanced *self);
};

struct advanced_receive {
    struct advanced_descriptor *descriptors;
    struct bm_packet **packets; // that the descriptors were given
    unsigned count;
    unsigned next;  // number, counted on for ever, of the descriptor that the device fills next
    unsigned given; // descriptors from there on that the device has
    // A frame whose end has not come yet:
    struct bm_packet *first, *last;
    unsigned length;
    bool bad; // it is dropped
};

// What a context descriptor says of headers and segments.
struct advanced_context {
    uint32_t lengths, kinds, segments;
};

struct advanced_send {
    struct advanced_descriptor *descriptors;
    struct {
        void *cookie;       // of the frame that begins here
        unsigned last;      // the number of its last descriptor
        uint8_t bounce;     // its place's number plus 1; 0: none
    } * frames;             // by the frame's first descriptor
    unsigned char *headers; // HEADER_SIZE bytes for each descriptor
    unsigned first, next;   // numbers: the oldest descriptor under way, the next free one
    unsigned rung;          // that the device was told of
    unsigned char *bounces[BOUNCES];
    unsigned bounces_used;           // bit i: place i
    struct advanced_context context; // that it was told last; zeros: none
    bool full;                       // a frame was refused: the stack waits for `sent`
    bool stopped;                    // frames are not taken now
    void **abandoned;                // cookies of frames that a reset has lost
};

// How the device interrupts: not yet known, not at all, by its line or one message for everything, by
// messages of their own for frames and the rest.
enum advanced_interrupts { ADVANCED_UNKNOWN, ADVANCED_POLLED, ADVANCED_LINE, ADVANCED_MESSAGES };

struct advanced {
    struct bm_netdev netdev; // first
    struct bm_netqueue queue;
    struct bm_pci_device *pci;
    const struct advanced_family *family;
    volatile uint8_t *registers;
    enum advanced_interrupts interrupts;
    bool one_message;       // with ADVANCED_MESSAGES: one for frames and the rest
    bool has_line;          // with ADVANCED_LINE: it is one, no message
    bool broken;            // switched off for good
    bool sent_interrupts;   // sent frames interrupt
    atomic_bool link_event; // the handler's: look at the link
    atomic_bool masked;     // … the device, or the handler, has masked the causes
    atomic_bool armed;      // the core that serves it is about to halt, or halts
    atomic_bool heard;      // … there was an interrupt
    unsigned restarts;      // since a frame left
    uint64_t stuck_since;   // when frames were first seen not to leave; 0: they do
    uint64_t look_at;       // when to look without being told

    struct advanced_receive receive; // the poller's

    struct bm_spinlock lock; // of what follows
    struct advanced_send send;
};

static inline struct advanced *advanced_of(struct bm_netqueue *queue)
{
    return (struct advanced *)queue->device;
}

#ifdef BM_HOST_TEST
// As below, of a test on the host.
uint32_t advanced_read(const struct advanced *self, unsigned offset);
void advanced_write(struct advanced *self, unsigned offset, uint32_t value);
#else
static inline uint32_t advanced_read(const struct advanced *self, unsigned offset)
{
    return *(const volatile uint32_t *)(self->registers + offset);
}
static inline void advanced_write(struct advanced *self, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(self->registers + offset) = value;
}
#endif

// Waits until the register's bits under `mask` are `value`; false: they were not in so many ns.
bool bm_advanced_wait(const struct advanced *self, unsigned offset, uint32_t mask, uint32_t value,
                      uint64_t nanoseconds);

// The part of a reset that is alike: DMA ends, then the device begins anew (CTRL, STATUS). Returns false when
// it does not come back.
bool bm_advanced_reset(struct advanced *self);

// The driver's attach.
int bm_advanced_attach(struct bm_device *device, const struct advanced_family *family);

// Switches the device off for good and says why. Under no lock but `lock`.
void bm_advanced_fail(struct advanced *self, const char *why);

// Programs a device that has been reset, with empty rings, and starts it. Returns false, and has failed it,
// when a ring does not begin to run.
bool bm_advanced_program(struct advanced *self);

// advanced_receive.c: a batch of frames; filling the ring; taking all of it back. In the poller, or before
// there is one.
bool bm_advanced_receive(struct advanced *self);
void bm_advanced_fill(struct advanced *self);
void bm_advanced_receive_reset(struct advanced *self);
bool bm_advanced_receive_ready(const struct advanced *self);
bool bm_advanced_receive_abandon(struct advanced *self);

// advanced_send.c: the two functions of the contract; taking back what was sent.
int bm_advanced_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame);
void bm_advanced_flush(struct bm_netqueue *queue);
bool bm_advanced_reclaim(struct advanced *self);
bool bm_advanced_send_ready(const struct advanced *self);

// … Of a device that stands still: takes all frames out of the ring, and returns how many there were; empties
// the ring; lets frames in again, and says that those are done.
unsigned bm_advanced_send_stop(struct advanced *self);
void bm_advanced_send_reset(struct advanced *self);
void bm_advanced_send_start(struct advanced *self, unsigned abandoned);

// advanced_poll.c: fills in the poller; prepares the interrupts, once, and asks for them; aims them.
void bm_advanced_poll_prepare(struct advanced *self);
void bm_advanced_interrupts_prepare(struct advanced *self);
void bm_advanced_interrupts_enable(struct advanced *self);
int bm_advanced_aim(struct bm_netqueue *queue, unsigned core);
