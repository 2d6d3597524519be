// What the files of the virtio SCSI driver share.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of VIRTIO 1.2; SCSI commands those of SPC-4 and SBC-3.
#pragma once

#include <baremetal/block.h>
#include <baremetal/lock.h>
#include <baremetal/virtio.h>

#include <stdatomic.h>
#include <stddef.h>

enum {
    VIRTIO_SCSI_DESCRIPTORS = 256,
    VIRTIO_SCSI_DEPTH_MAX = 64,
    VIRTIO_SCSI_SEGMENTS_MAX = 126,
    VIRTIO_SCSI_QUEUES_MAX = 8, // the interrupt vectors are for all devices
    VIRTIO_SCSI_DISKS_MAX = 32, // of a host
    VIRTIO_SCSI_CDB_MAX = 32,
    VIRTIO_SCSI_SENSE_MAX = 96,
    VIRTIO_SCSI_ANSWER = 512, // bytes of what is asked at boot
    VIRTIO_SCSI_BATCH = 16
};
#define VIRTIO_SCSI_CHECK 1000000000ull // ns between looks at requests that are under way
// Checks that a request may take; times that it is sent behind resets of the host; times that it is sent when
// a unit has something to tell first.
enum { VIRTIO_SCSI_AGE_MAX = 8, VIRTIO_SCSI_ATTEMPTS_MAX = 2, VIRTIO_SCSI_TRIES_MAX = 4 };

// What the device reads and writes of a command besides the data (section 5.6.6.1).
struct virtio_scsi_command {
    uint8_t lun[8];
    uint64_t identifier;
    uint8_t attributes, priority, reference;
    uint8_t cdb[VIRTIO_SCSI_CDB_MAX];
} __attribute__((packed));
struct virtio_scsi_answer {
    uint32_t sense_length, residual;
    uint16_t qualifier;
    uint8_t status, response;
    uint8_t sense[VIRTIO_SCSI_SENSE_MAX];
};
_Static_assert(sizeof(struct virtio_scsi_command) == 51 && sizeof(struct virtio_scsi_answer) == 108,
               "they are as the specification has them");

struct virtio_scsi_disk;

struct virtio_scsi_slot {
    struct virtio_scsi_command command;
    struct virtio_scsi_answer answer;
    uint8_t range[24]; // of UNMAP
    // The driver's own:
    bool flushes;                  // it is written; what follows is the flush that is to make it safe
    bool over;                     // it has failed, as its submitter is to hear
    uint8_t next;                  // free one
    uint8_t tick, attempts, tries; // see above
    struct virtio_scsi_disk *disk; // NULL: a question of boot
    struct bm_block_request *request;
};

struct virtio_scsi;

// A request queue of the host, of one disk or of several.
struct virtio_scsi_queue {
    struct virtio_scsi *scsi;
    unsigned depth, disks;
    uint64_t slots_address;  // for the device
    struct bm_spinlock lock; // of what follows
    struct bm_virtqueue requests;
    bool live;                // the device has the rings
    bool failing;             // some slots are over
    uint8_t free, free_count; // slots
    uint8_t tick;             // counts the checks
    uint64_t check;           // when the next one is due
    struct virtio_scsi_slot slots[VIRTIO_SCSI_DEPTH_MAX];
};

// A logical unit.
struct virtio_scsi_disk {
    struct bm_blockdev blockdev; // first
    struct bm_blockqueue queue;
    struct virtio_scsi_queue *requests;
    uint8_t target;
    uint16_t lun;
};

struct virtio_scsi {
    struct bm_virtio_device *device;
    struct virtio_scsi_queue *queues; // an array of queue_count
    unsigned queue_count, disk_count;
    struct virtio_scsi_disk *disks[VIRTIO_SCSI_DISKS_MAX];
    atomic_bool reset_wanted; // by a queue, or the device
    unsigned char *answer;    // VIRTIO_SCSI_ANSWER bytes, of what is asked at boot
    uint32_t segments_max, transfer_max;
};

// --- virtio_scsi_queue.c ---

extern const struct bm_blockdev_ops bm_virtio_scsi_ops;
// Makes request queue `number`. Returns 0 or a negative error.
int bm_virtio_scsi_queue_create(struct virtio_scsi *self, unsigned number);
// Lets a disk use a queue.
void bm_virtio_scsi_disk_prepare(struct virtio_scsi_disk *disk, struct virtio_scsi_queue *queue);
// The slot's request, again. Returns false when there is no room. Under the lock.
bool bm_virtio_scsi_request_send(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot);
void bm_virtio_scsi_slot_free(struct virtio_scsi_queue *self, struct virtio_scsi_slot *slot);
// Asks a unit at boot, by a command of up to 16 bytes; the answer, of at most `bytes`, is in self->answer.
// Returns 0, -BM_ENODEV when there is no such target, -BM_EAGAIN when it has something else to tell first, or
// -BM_EIO.
int bm_virtio_scsi_ask(struct virtio_scsi *self, unsigned target, unsigned lun, const uint8_t cdb[16],
                       uint32_t bytes);

// --- virtio_scsi_unit.c ---

// Finds the units of a target, and adds those that are disks or drives with a disc.
void bm_virtio_scsi_target_scan(struct virtio_scsi *self, unsigned target);

// --- virtio_scsi_reset.c ---

// Whether a request has waited for too long; once a second. Wants a reset then.
bool bm_virtio_scsi_check(struct virtio_scsi_queue *self);
// Resets the host, and sends again what it had: each request twice at most. One that does not come back is
// switched off.
void bm_virtio_scsi_reset(struct virtio_scsi *self);
// Delivers the requests that are over without an answer; all when the host was switched off.
bool bm_virtio_scsi_give_up(struct virtio_scsi_queue *self);
