// What the drivers e1000 and e1000e share: Intel's gigabit controllers.
// SPDX-License-Identifier: MIT
#pragma once

#include "../shared/frame.h"
#include "../shared/nic.h"
#include "registers.h"

#include <baremetal/lock.h>
#include <baremetal/netdev.h>
#include <baremetal/pci.h>

#include <stdatomic.h>

enum {
    RECEIVE_MAX = 128, // descriptors of the receive ring: a power of two, at least eight (section 13.4.27)
    RECEIVE_MAX_JUMBO = 512,            // … whose buffers hold 1,024 bytes each
    SEND_COUNT = 256,                   // of the transmit ring
    BATCH = 32,                         // frames that one poll takes from each ring
    FILL_MIN = 16,                      // free receive descriptors that are worth a doorbell
    HEADER_SIZE = 128,                  // copied headers of a frame that is to be cut up
    PIECE_MAX = 8192,                   // bytes of a descriptor: half of what section 3.3.3 allows
    SENTINEL = 4,                       // bytes that must not share a descriptor: see gigabit_send.c
    FRAME_PAD = 17,                     // shorter ones the device does not pad (section 13.4.33)
    RING_ALIGNMENT = 4096,              //
    POLL_INTERVAL = 1000 * 1000,        // ns between looks at a device without interrupts
    LOOK_INTERVAL = 1000 * 1000 * 1000, // ns between looks at one with: what it says may get lost
    STUCK_MAX = 2000 * 1000 * 1000,     // ns for which no frame leaves
    RESTARTS_MAX = 5                    // without a frame that left in between
};

// What differs from chip to chip.
struct gigabit_chip {
    const char *name;   // the driver's
    uint16_t eerd_done; // bit of EERD, and where the address begins in it
    uint8_t eerd_shift;
    uint16_t mtu_max; // of its longest frames, header, VLAN tag and CRC left out
    bool express;     // 82574: PCI Express, messages, extended receive descriptors
    bool sentinel;    // the errata of segmentation
    bool no_pcix;     // the errata of PCI-X
};

struct gigabit_receive {
    struct gigabit_descriptor *descriptors;
    struct bm_packet **packets; // that the descriptors were given
    unsigned count;
    unsigned next;  // number, counted on for ever, of the descriptor that the device fills next
    unsigned given; // descriptors from there on that the device has
    // A frame whose end has not come yet:
    struct bm_packet *first, *last;
    unsigned length;
    bool bad; // it is dropped
};

struct gigabit_send {
    struct gigabit_descriptor *descriptors;
    struct {
        void *cookie;       // of the frame that begins here
        unsigned last;      // the number of its last descriptor
    } * frames;             // by the frame's first descriptor
    unsigned char *headers; // HEADER_SIZE bytes for each descriptor
    unsigned first, next;   // numbers: the oldest descriptor under way, the next free one
    unsigned rung;          // that the device was told of
    uint32_t context;       // the checksum that it was told last: start and place; 0: none
    bool after_segments;    // the last frame was cut up
    bool full;              // a frame was refused: the stack waits for `sent`
    bool stopped;           // frames are not taken now
    void **abandoned;       // cookies of frames that a reset has lost
};

// How the device interrupts: not yet known, not at all, by its line or one message for everything, by
// messages of their own for frames and the rest.
enum gigabit_interrupts { GIGABIT_UNKNOWN, GIGABIT_POLLED, GIGABIT_LINE, GIGABIT_MESSAGE, GIGABIT_MESSAGES };

struct gigabit {
    struct bm_netdev netdev; // first
    struct bm_netqueue queue;
    struct bm_pci_device *pci;
    const struct gigabit_chip *chip;
    volatile uint8_t *registers;
    enum gigabit_interrupts interrupts;
    bool broken;            // switched off for good
    atomic_bool link_event; // the handler's: look at the link
    atomic_bool masked;     // … the device may have masked its causes
    atomic_bool armed;      // the core that serves it is about to halt, or halts
    atomic_bool heard;      // … there was an interrupt
    unsigned restarts;      // since a frame left
    uint64_t stuck_since;   // when frames were first seen not to leave; 0: they do
    uint64_t look_at;       // when to look without being told

    struct gigabit_receive receive; // the poller's

    struct bm_spinlock lock; // of what follows
    struct gigabit_send send;
};

static inline struct gigabit *gigabit_of(struct bm_netqueue *queue)
{
    return (struct gigabit *)queue->device;
}

#ifdef BM_HOST_TEST
// As below, of a test on the host.
uint32_t gigabit_read(const struct gigabit *self, unsigned offset);
void gigabit_write(struct gigabit *self, unsigned offset, uint32_t value);
#else
static inline uint32_t gigabit_read(const struct gigabit *self, unsigned offset)
{
    return *(const volatile uint32_t *)(self->registers + offset);
}
static inline void gigabit_write(struct gigabit *self, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(self->registers + offset) = value;
}
#endif

// The driver's attach.
int bm_gigabit_attach(struct bm_device *device, const struct gigabit_chip *chip);

// Switches the device off for good and says why. Under no lock but `lock`.
void bm_gigabit_fail(struct gigabit *self, const char *why);

// Stops and resets the device. Returns false when it does not come back.
bool bm_gigabit_reset(struct gigabit *self);

// Programs a device that has been reset, with empty rings, and starts it.
void bm_gigabit_program(struct gigabit *self);

// Reads whether there is a link, and says so. In the poller.
void bm_gigabit_link_look(struct gigabit *self);

// gigabit_receive.c: a batch of frames; filling the ring; taking all of it back. In the poller, or before
// there is one.
bool bm_gigabit_receive(struct gigabit *self);
void bm_gigabit_fill(struct gigabit *self);
void bm_gigabit_receive_reset(struct gigabit *self);
bool bm_gigabit_receive_ready(const struct gigabit *self);
bool bm_gigabit_receive_abandon(struct gigabit *self);

// gigabit_sum.c: whether a received frame is a TCP segment in one packet whose checksum is right.
bool bm_gigabit_sum_is_good(const unsigned char *frame, unsigned length);

// gigabit_send.c: the two functions of the contract; taking back what was sent.
int bm_gigabit_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame);
void bm_gigabit_flush(struct bm_netqueue *queue);
bool bm_gigabit_reclaim(struct gigabit *self);
bool bm_gigabit_send_ready(const struct gigabit *self);

// … Of a device that stands still: takes all frames out of the ring, and returns how many there were; empties
// the ring; lets frames in again, and says that those are done.
unsigned bm_gigabit_send_stop(struct gigabit *self);
void bm_gigabit_send_reset(struct gigabit *self);
void bm_gigabit_send_start(struct gigabit *self, unsigned abandoned);

// gigabit_poll.c: fills in the poller; prepares the interrupts, once, and asks for them; aims them.
void bm_gigabit_poll_prepare(struct gigabit *self);
void bm_gigabit_interrupts_prepare(struct gigabit *self);
void bm_gigabit_interrupts_enable(struct gigabit *self);
int bm_gigabit_aim(struct bm_netqueue *queue, unsigned core);
