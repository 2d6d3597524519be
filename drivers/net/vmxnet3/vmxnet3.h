// The vmxnet3 driver's own structures.
// SPDX-License-Identifier: MIT
#pragma once

#include "../shared/frame.h"
#include "../shared/nic.h"
#include "registers.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/netdev.h>
#include <baremetal/pci.h>

#include <stdatomic.h>

enum {
    RING_UNIT = 32,                     // sizes of rings are multiples of it
    RECEIVE_MAX = 512,                  // buffers: what finds none is lost
    BODIES_MIN = 32,                    // of ring 2, which stays empty but for jumbo frames
    MTU_MAX = 9000,                     // the device's
    SEND_COUNT = 256,                   // descriptors of the transmit ring
    BATCH = 32,                         // frames that one poll takes from each ring
    FILL_MIN = 16,                      // buffers that are worth a look at the pool
    HEADER_SIZE = 128,                  // copied headers of a frame that is to be cut up
    PIECE_MAX = 16384,                  // bytes of a descriptor
    PIECES_MAX = 16,                    // descriptors of a frame
    SEGMENTS_MAX = 24,                  // … of one that is cut up
    BOUNCES = 4,                        // places for what has more pieces
    BOUNCE_ORDER = 4,                   // of 64 KiB each
    BOUNCE_PIECES = 4,                  //
    RING_ALIGNMENT = 4096,              //
    POLL_INTERVAL = 1000 * 1000,        // ns between looks at a device without interrupts
    LOOK_INTERVAL = 1000 * 1000 * 1000, // ns between looks at what the device has lost, at least
    STUCK_MAX = 2000 * 1000 * 1000,     // ns for which no frame leaves
    RESTARTS_MAX = 5                    // without a frame that left in between
};
_Static_assert(BM_PAGE_SIZE << BOUNCE_ORDER == BOUNCE_PIECES * PIECE_MAX, "what a place holds");

// A ring of completions: the device's generation bit turns with each round.
struct vmxnet3_completions {
    struct vmxnet3_completion *entries;
    unsigned count, next;
    uint32_t generation; // COMPLETION_GENERATION or 0
};

// A ring of buffers.
struct vmxnet3_buffers {
    struct vmxnet3_descriptor *ring;
    struct bm_packet **packets; // that the descriptors were given
    unsigned count;
    unsigned next;  // number, counted on for ever, of the buffer that the device fills next
    unsigned given; // buffers from there on that the device has
};

struct vmxnet3_receive {
    struct vmxnet3_buffers heads;  // ring 1: frames begin there
    struct vmxnet3_buffers bodies; // ring 2: jumbo frames go on there
    struct vmxnet3_completions completions;
    // A frame whose end has not come yet:
    struct bm_packet *first, *last;
    unsigned length;
    bool bad; // it is dropped
};

struct vmxnet3_send {
    struct vmxnet3_descriptor *ring;
    struct vmxnet3_frame {
        void *cookie;       // of the frame that begins here
        unsigned last;      // the number of its last descriptor
        uint8_t bounce;     // its place's number plus 1; 0: none
    } * frames;             // by the frame's first descriptor
    unsigned char *headers; // HEADER_SIZE bytes for each descriptor
    unsigned char *bounces[BOUNCES];
    unsigned bounces_used; // bit i: place i
    unsigned first, next;  // numbers: the oldest descriptor under way, the next free one
    unsigned rung;         // that the device was told of
    bool full;             // a frame was refused: the stack waits for `sent`
    bool stopped;          // frames are not taken now
    void **abandoned;      // cookies of frames that a reset has lost
    struct vmxnet3_completions completions;
};

enum vmxnet3_interrupts { VMXNET3_UNKNOWN, VMXNET3_POLLED, VMXNET3_LINE, VMXNET3_MESSAGES };

struct vmxnet3 {
    struct bm_netdev netdev; // first
    struct bm_netqueue queue;
    struct bm_pci_device *pci;
    volatile uint8_t *doors, *registers;
    struct vmxnet3_shared *shared;
    struct vmxnet3_queues *queues;
    enum vmxnet3_interrupts interrupts;
    unsigned send_interrupt; // of sent frames: 0 with all others, or 1
    bool broken;             // switched off for good
    atomic_bool masked;      // the handler's: the device has masked its interrupt
    atomic_bool heard;       // … there was one
    unsigned restarts;       // since a frame left
    uint64_t stuck_since;    // when frames were first seen not to leave; 0: they do
    uint64_t look_at;        // when to ask for what the device has lost
    uint64_t missed;         // frames that it had lost then, since its last reset

    struct vmxnet3_receive receive; // the poller's

    struct bm_spinlock lock; // of what follows
    struct vmxnet3_send send;
};

// The largest packet that is taken: a neighbour whose MTU is larger than ours is heard all the same.
static inline unsigned vmxnet3_mtu_taken(const struct vmxnet3 *self)
{
    return self->netdev.mtu > MTU_DEFAULT ? MTU_MAX : MTU_DEFAULT;
}

static inline struct vmxnet3 *vmxnet3_of(struct bm_netqueue *queue)
{
    return (struct vmxnet3 *)queue->device;
}

#ifdef BM_HOST_TEST
// As below, of a test on the host.
uint32_t vmxnet3_read(const struct vmxnet3 *self, unsigned offset);
void vmxnet3_write(struct vmxnet3 *self, unsigned offset, uint32_t value);
void vmxnet3_ring(struct vmxnet3 *self, unsigned offset, uint32_t value);
#else
static inline uint32_t vmxnet3_read(const struct vmxnet3 *self, unsigned offset)
{
    return *(const volatile uint32_t *)(self->registers + offset);
}
static inline void vmxnet3_write(struct vmxnet3 *self, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(self->registers + offset) = value;
}
static inline void vmxnet3_ring(struct vmxnet3 *self, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(self->doors + offset) = value;
}
#endif

// The generation of a ring's descriptor by its number: 1 in the first round, then 0, and so on.
static inline bool vmxnet3_generation(unsigned number, unsigned count)
{
    return !(number / count & 1);
}

// Whether the device has written the next completion.
static inline bool vmxnet3_completed(const struct vmxnet3_completions *completions)
{
    uint32_t word = __atomic_load_n(&completions->entries[completions->next].words[3], __ATOMIC_ACQUIRE);
    return (word & COMPLETION_GENERATION) == completions->generation;
}

// Goes on to the one behind.
static inline void vmxnet3_completions_step(struct vmxnet3_completions *completions)
{
    if (++completions->next == completions->count) {
        completions->next = 0;
        completions->generation ^= COMPLETION_GENERATION;
    }
}

// vmxnet3.c: tells the device a command and returns its answer; switches it off for good and says why; stops
// and resets it; programs one that has been reset, with empty rings, and starts it (false: it does not).
uint32_t bm_vmxnet3_command(struct vmxnet3 *self, uint32_t command);
void bm_vmxnet3_fail(struct vmxnet3 *self, const char *why);
void bm_vmxnet3_reset(struct vmxnet3 *self);
bool bm_vmxnet3_program(struct vmxnet3 *self);
void bm_vmxnet3_completions_reset(struct vmxnet3_completions *completions);

// vmxnet3_receive.c: a batch of frames; filling the rings; telling the device of the buffers; taking all of
// them back. In the poller, or before there is one.
bool bm_vmxnet3_receive(struct vmxnet3 *self);
void bm_vmxnet3_fill(struct vmxnet3 *self);
void bm_vmxnet3_doors_ring(struct vmxnet3 *self);
bool bm_vmxnet3_receive_abandon(struct vmxnet3 *self);
void bm_vmxnet3_receive_reset(struct vmxnet3 *self);

// vmxnet3_send.c: the two functions of the contract; taking back what was sent.
int bm_vmxnet3_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame);
void bm_vmxnet3_flush(struct bm_netqueue *queue);
bool bm_vmxnet3_reclaim(struct vmxnet3 *self);

// … Of a device that stands still: takes all frames out of the ring, and returns how many there were; empties
// the ring; lets frames in again, and says that those are done.
unsigned bm_vmxnet3_send_stop(struct vmxnet3 *self);
void bm_vmxnet3_send_reset(struct vmxnet3 *self);
void bm_vmxnet3_send_start(struct vmxnet3 *self, unsigned abandoned);

// vmxnet3_poll.c: fills in the poller; prepares the interrupts, once; aims them.
void bm_vmxnet3_poll_prepare(struct vmxnet3 *self);
void bm_vmxnet3_interrupts_prepare(struct vmxnet3 *self);
int bm_vmxnet3_aim(struct bm_netqueue *queue, unsigned core);
