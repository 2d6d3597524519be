// What the files of the virtio block driver share. Section numbers are those of VIRTIO 1.2.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/block.h>
#include <baremetal/lock.h>
#include <baremetal/virtio.h>

#include <stdatomic.h>
#include <stddef.h>

// Types and answers of requests (section 5.2.6).
enum {
    VIRTIO_BLK_IN = 0,
    VIRTIO_BLK_OUT = 1,
    VIRTIO_BLK_FLUSH = 4,
    VIRTIO_BLK_GET_ID = 8,
    VIRTIO_BLK_DISCARD = 11,
    VIRTIO_BLK_ZEROES = 13
};
enum { VIRTIO_BLK_OK = 0, VIRTIO_BLK_UNSUPPORTED = 2, VIRTIO_BLK_NONE = 0xff };

enum {
    VIRTIO_BLK_UNIT = 512, // of a header's sector
    VIRTIO_BLK_DESCRIPTORS = 256,
    VIRTIO_BLK_DEPTH_MAX = 64,
    VIRTIO_BLK_SEGMENTS_MAX = 126,
    VIRTIO_BLK_QUEUES_MAX = 8, // the interrupt vectors are for all devices
    VIRTIO_BLK_BATCH = 16
};
#define VIRTIO_BLK_CHECK 1000000000ull // ns between looks at requests that are under way
enum {
    VIRTIO_BLK_AGE_MAX = 8,
    VIRTIO_BLK_ATTEMPTS_MAX = 2
}; // checks that a request may take; times it is sent

// What the device reads and writes of a request besides the data.
struct virtio_blk_slot {
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    struct {
        uint64_t sector;
        uint32_t count, flags;
    } range; // of a discard or zeroes
    uint8_t status;
    // The driver's own:
    bool flushes;     // behind a write that is to be safe
    bool over;        // it has failed, as its submitter is to hear
    uint8_t next;     // free one
    uint8_t tick;     // of the queue, when it was sent
    uint8_t attempts; // times that it was sent
    struct bm_block_request *request;
};
_Static_assert(offsetof(struct virtio_blk_slot, range) == 16,
               "header and range are as the specification has them");

struct virtio_blk;

struct virtio_blk_queue {
    struct bm_blockqueue queue; // first
    struct virtio_blk *blk;
    uint64_t slots_address;  // for the device
    struct bm_spinlock lock; // of what follows
    struct bm_virtqueue requests;
    bool live;                // the device has the rings
    bool failing;             // some slots are over
    uint8_t free, free_count; // slots
    uint8_t tick;             // counts the checks
    uint64_t check;           // when the next one is due
    struct virtio_blk_slot slots[VIRTIO_BLK_DEPTH_MAX];
};

struct virtio_blk {
    struct bm_blockdev blockdev; // first
    struct bm_virtio_device *device;
    struct virtio_blk_queue *queues; // an array of queue_count
    unsigned queue_count;
    atomic_bool reset_wanted; // by a queue, or the device
    char serial[20];
};

// --- virtio_blk_queue.c ---

extern const struct bm_blockdev_ops bm_virtio_blk_ops;
// Makes queue `number` of a device. Returns 0 or a negative error.
int bm_virtio_blk_queue_create(struct virtio_blk *self, unsigned number);
// Puts a request of that type into the queue. Returns false when too few descriptors are free. Under the
// lock.
bool bm_virtio_blk_send(struct virtio_blk_queue *self, struct virtio_blk_slot *slot, uint32_t type,
                        uint64_t sector, const struct bm_dma_segment *segments, unsigned count);
// The slot's request, again. Returns false when there is no room. Under the lock.
bool bm_virtio_blk_request_send(struct virtio_blk_queue *self, struct virtio_blk_slot *slot);
void bm_virtio_blk_slot_free(struct virtio_blk_queue *self, struct virtio_blk_slot *slot);

// --- virtio_blk_reset.c ---

// Whether a request has waited for too long; once a second. Wants a reset then.
bool bm_virtio_blk_check(struct virtio_blk_queue *self);
// Resets the device, and sends again what it had: each request twice at most. One that does not come back is
// switched off.
void bm_virtio_blk_reset(struct virtio_blk *self);
// Delivers the requests that are over without an answer; all when the device was switched off.
bool bm_virtio_blk_give_up(struct virtio_blk_queue *self);

// --- virtio_blk.c ---

// The configuration has changed: the disk has another size, or the device wants a reset (section 2.1.2).
void bm_virtio_blk_config_changed(struct virtio_blk *self);
