// Block devices: the contract between a disk's driver and its users; partitions; reading and writing.
// SPDX-License-Identifier: MIT
//
// A device is a set of queues of requests, each with its own poller (wait.h), its own interrupt and its own
// statistics. Requests are asynchronous: bm_block_submit puts one into a queue, bm_block_kick shows a batch
// of them to the device, and the queue's poller calls `done` when the device has answered, in any order. A
// queue that is bound to a core (bm_blockqueue_bind) is touched by that core alone, provided that only it
// submits; one that is not bound is served by whichever core waits, and any core submits.
//
// Sectors are the device's logical ones (sector_size), numbered from 0. Nothing is ordered between requests
// under way at the same time; what has to be on the disk before something else is written is waited for. What
// was written is safe from a loss of power once a flush that began after its `done` has succeeded, or with
// BM_BLOCK_FUA once it is done itself.
#pragma once

#include <baremetal/memory.h>
#include <baremetal/wait.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BM_BLOCK_NAME_MAX = 16,    // "vda", "nvme0n1p2", with the terminating NUL
    BM_BLOCK_SERIAL_MAX = 24,  // with the terminating NUL
    BM_BLOCK_SECTOR_MAX = 4096 // bytes
};

struct bm_blockdev;
struct bm_blockqueue;

// What a request asks for.
enum bm_block_operation {
    BM_BLOCK_READ,
    BM_BLOCK_WRITE,
    BM_BLOCK_FLUSH,       // all that is done is safe; no sectors, no segments
    BM_BLOCK_DISCARD,     // the contents are not wanted any more; what is read afterwards is anything
    BM_BLOCK_WRITE_ZEROES // as a write of zeros; no segments
};

// How a request is to be done.
enum bm_block_flags {
    BM_BLOCK_FUA = 1 // of writes: done means safe; the driver flushes behind it if the device cannot
};

// A request. It and its segments belong to the queue from bm_block_submit until `done` is called.
struct bm_block_request {
    uint8_t operation;                     // enum bm_block_operation
    uint8_t flags;                         // enum bm_block_flags
    uint16_t segment_count;                // of segments
    uint32_t count;                        // sectors
    uint64_t sector;                       // the first one
    const struct bm_dma_segment *segments; // the memory, count * sector_size bytes in all
    // On the core that serves the queue, in its poller: it must not wait. It may submit, also this request
    // again. Called once for each request that bm_block_submit returned 0 for.
    void (*done)(struct bm_block_request *request);
    void *arg;  // the submitter's own
    int result; // for `done`: 0, -BM_EIO (the device could not, or is broken), -BM_ENXIO (it cannot at all)
    // The kernel's and the driver's:
    uint64_t disk_sector; // on the whole disk
};

// What a device can do besides reading and writing.
enum bm_block_capability {
    BM_BLOCK_CAN_FLUSH = 1, // has a volatile cache; without it what is done is safe
    BM_BLOCK_CAN_DISCARD = 2,
    BM_BLOCK_CAN_WRITE_ZEROES = 4
};

// What a driver does. For a bound queue on its core, else on any core.
struct bm_blockdev_ops {
    // Puts a request that has been checked into the queue. Returns 0, or -BM_EAGAIN when the queue is full.
    int (*submit)(struct bm_blockqueue *queue, struct bm_block_request *request);
    // Rings the doorbell once for all requests since the last call.
    void (*kick)(struct bm_blockqueue *queue);
    // Aims the queue's interrupt at a core. NULL: there is none that could be aimed.
    int (*aim)(struct bm_blockqueue *queue, unsigned core);
};

// A queue of a device. The driver embeds it in a structure of its own.
struct bm_blockqueue {
    struct bm_blockdev *device; // the whole disk
    unsigned number;            // from 0 on, for bm_blockdev_queue
    unsigned depth;             // requests that may be under way at once
    // The driver's. poll() takes what the device has answered and calls bm_block_done.
    struct bm_poller poller;
    // Statistics, written by the driver's calls of bm_block_done:
    uint64_t completed, failed, bytes;
    struct bm_blockqueue *next; // of the same device
};

// A disk, or a partition of one.
struct bm_blockdev {
    char name[BM_BLOCK_NAME_MAX];      // chosen by bm_blockdev_add
    char serial[BM_BLOCK_SERIAL_MAX];  // printable; "" when the device says none
    const char *driver;                // "virtio_blk"
    const struct bm_blockdev_ops *ops; // the driver's
    uint64_t sectors;                  // size; may change while the machine runs
    uint32_t sector_size;              // logical: a power of two, 512 … BM_BLOCK_SECTOR_MAX
    uint32_t physical_size;            // physical sector: smaller writes are slower
    uint32_t capabilities;             // enum bm_block_capability
    uint32_t transfer_max;             // bytes in one read or write
    uint32_t segment_max;              // bytes in one segment
    uint32_t segments_max;             // segments of one request: at least 2
    uint32_t alignment;                // of each segment's address and length; a power of two
    uint32_t boundary;                 // not 0: each segment that does not go on where the one before ends
                                       // begins, and that one ends, at a multiple of it; a power of two
    uint32_t discard_max;              // sectors in one request
    uint32_t zeroes_max;               // sectors in one request
    bool read_only;                    // writes fail
    bool whole;                        // has no partitions, as discs
    bool removed;                      // or broken: every request fails
    struct bm_blockqueue *queues;      // linked by `next`
    unsigned queue_count;              // of queues
    // Of a partition: the disk that it is a part of, where it begins, and what the table says of it.
    struct bm_blockdev *disk; // NULL: a whole disk
    uint64_t first;
    unsigned char type[16], id[16]; // GPT's identifiers as they lie on the disk; MBR: type[0], id all zeros
    struct bm_blockdev *next;       // registry's
};

// --- For drivers ---

// Adds a queue to its device. Before bm_blockdev_add.
void bm_blockqueue_add(struct bm_blockdev *device, struct bm_blockqueue *queue);

// Adds a disk that is live: gives it a name of `prefix` and a letter ("vd": vda, vdb …; NULL: it has one),
// lets its queues be served, and adds the partitions that its table names (vda1 …). To be called by a
// driver's attach. Returns 0 or -BM_EINVAL when what it says of itself cannot be.
int bm_blockdev_add(struct bm_blockdev *device, const char *prefix);

// A request is over, with `result`: counts it and calls its `done`. In the queue's poller, under no lock of
// the driver.
void bm_block_done(struct bm_blockqueue *queue, struct bm_block_request *request, int result);

// --- For users ---

// The devices: each disk in the order of attaching, with its partitions behind it. NULL at the end. Any core.
struct bm_blockdev *bm_blockdev_first(void);
// The device with a name, or NULL. Any core.
struct bm_blockdev *bm_blockdev_find(const char *name);
// Queue `number` of a device, or NULL; a partition's queues are its disk's. Any core.
struct bm_blockqueue *bm_blockdev_queue(const struct bm_blockdev *device, unsigned number);

// Binds a queue to a core: its interrupt is aimed there, its poller bound. Returns 0 or a negative error,
// after which it stays where it was. Any core, not in handlers.
int bm_blockqueue_bind(struct bm_blockqueue *queue, unsigned core);

// Puts a request for a device into one of its queues. Returns 0: `done` will be called, for a flush of a
// device without a cache before this returns; or, and then it never is,
//   -BM_EAGAIN  the queue is full: again when a request of it is done
//   -BM_EINVAL  no sectors, or more than the device takes; too many segments, or too long, misaligned or
//               empty ones; segments that are not count * sector_size bytes; no `done`; unknown words
//   -BM_ERANGE  sectors beyond the device's end
//   -BM_EROFS   the device is read-only
//   -BM_ENXIO   the device cannot discard or write zeroes
//   -BM_ENODEV  the device has gone, or broke
// Any core unless the queue is bound, not in handlers.
int bm_block_submit(struct bm_blockdev *device, struct bm_blockqueue *queue,
                    struct bm_block_request *request);

// Shows the device what was submitted to a queue since the last time.
void bm_block_kick(struct bm_blockqueue *queue);

// The same with waiting, in as many requests as it takes: any core, not in handlers, not in a poller, with no
// spinlock held. `flags` is 0 or BM_BLOCK_FUA. Buffers are any mapped memory whose address is a multiple of
// device->alignment. Return 0 or an error as above (never -BM_EAGAIN) or of struct bm_block_request's result;
// part of it may be done then.
int bm_block_read(struct bm_blockdev *device, uint64_t sector, void *buffer, uint32_t count);
int bm_block_write(struct bm_blockdev *device, uint64_t sector, const void *buffer, uint32_t count,
                   unsigned flags);
int bm_block_flush(struct bm_blockdev *device);
int bm_block_discard(struct bm_blockdev *device, uint64_t sector, uint64_t count);
int bm_block_write_zeroes(struct bm_blockdev *device, uint64_t sector, uint64_t count);

#ifdef __cplusplus
}
#endif
