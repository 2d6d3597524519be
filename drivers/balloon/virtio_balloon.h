// What the files of the virtio balloon driver share. Section numbers are those of VIRTIO 1.2.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/virtio.h>
#include <baremetal/wait.h>

// Feature bits (section 5.5.3).
#define VIRTIO_BALLOON_F_MUST_TELL_HOST (1ull << 0)
#define VIRTIO_BALLOON_F_STATS_VQ       (1ull << 1)
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM (1ull << 2)

enum {
    VIRTIO_BALLOON_BATCH = 256,  // pages of a message: one step of the poller
    VIRTIO_BALLOON_SHEET = 1021, // page numbers that fit into a page of records
    VIRTIO_BALLOON_TAGS = 3      // statistics that are told
};

// The numbers of pages in the balloon, a stack of such sheets. The pages themselves belong to the host: they
// hold nothing. The messages to the device are parts of sheets.
struct virtio_balloon_sheet {
    struct virtio_balloon_sheet *below;
    uint32_t count; // in the balloon; those behind them are of the message that is under way
    uint32_t pages[VIRTIO_BALLOON_SHEET];
};
_Static_assert(sizeof(struct virtio_balloon_sheet) == BM_PAGE_SIZE, "a sheet is a page");

// Section 5.5.6.3, where it is packed.
struct virtio_balloon_statistic {
    uint16_t tag;
    uint64_t value;
} __attribute__((packed));

enum virtio_balloon_message { VIRTIO_BALLOON_NONE, VIRTIO_BALLOON_INFLATE, VIRTIO_BALLOON_DEFLATE };

struct virtio_balloon {
    struct bm_virtio_device *device;
    struct bm_poller poller;
    struct bm_virtqueue inflate, deflate, statistics;
    bool tells, told; // it has the queue for statistics; the device has its buffer
    bool must_tell;   // VIRTIO_BALLOON_F_MUST_TELL_HOST
    bool gives;       // VIRTIO_BALLOON_F_DEFLATE_ON_OOM

    struct bm_spinlock lock; // of what follows, and of the two queues of pages
    struct virtio_balloon_sheet *top;
    uint32_t wanted, held, actual;       // pages: in the host's words; in the sheets; as the host was told
    enum virtio_balloon_message message; // under way to the device …
    uint32_t pending;                    // … and how many pages it has
    bool stalled;                        // it has had that one for so long that nobody waits any more
    bool short_of_memory;                // the reserve keeps it from growing: it tries again at `next`
    bool over;                           // the device is broken, and its pages are given back if they can be

    uint64_t next; // when it looks again without being called, ns
    bool due;      // that time has come
    unsigned resets;
    struct virtio_balloon_statistic *values; // VIRTIO_BALLOON_TAGS of them
};

// virtio_balloon_pages.c; all under the lock.
// Takes what the device has answered. Returns whether it has.
bool bm_virtio_balloon_settle(struct virtio_balloon *self);
// Sends the next message, if the balloon has not the size that is wanted and none is under way. Returns
// whether it sent one.
bool bm_virtio_balloon_step(struct virtio_balloon *self);
// Sends the message that was under way once more, to a device that was reset.
void bm_virtio_balloon_again(struct virtio_balloon *self);
// Sends a message that takes up to `pages` pages out; returns how many.
uint32_t bm_virtio_balloon_shrink(struct virtio_balloon *self, uint32_t pages);
// Lets the balloon grow again in a second: memory is short.
void bm_virtio_balloon_pause(struct virtio_balloon *self);
// Gives all pages back without a word, of a device that is broken.
void bm_virtio_balloon_end(struct virtio_balloon *self);

// virtio_balloon_short.c
// The balloon that gives pages back when memory ends; NULL: none does.
extern BM_ATOMIC(struct virtio_balloon *) bm_virtio_balloon_giver;
// A frame below the physical address 2^bits, for which the balloon gives none back; NULL: there is none.
void *bm_virtio_balloon_page(unsigned bits);
// Bytes that it has given so far.
uint64_t bm_virtio_balloon_returned(void);
