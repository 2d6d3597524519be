// Which pages are in the balloon, and the messages that put them there and take them out (VIRTIO 1.2 section
// 5.5.6).
// SPDX-License-Identifier: MIT
// @optimize size
//
// One message at a time is under way. Pages go in with it and are the host's from then on; they come out when
// the host has been told, and has answered if it said that it must be.
#include "virtio_balloon.h"

#include "../../libbaremetal/memory/frame.h"

#include <baremetal/assert.h>
#include <baremetal/balloon.h>
#include <baremetal/time.h>
#include <stdatomic.h>

enum { ADDRESS_BITS = 44 }; // a page's number has 32 (section 5.5.6: 4,096 bytes are a page)

static uint64_t reserve_min(void)
{
    enum { SHARE = 8 };
    const uint64_t min = 8 << 20;
    uint64_t share = bm_memory_statistics_get().total / SHARE;
    return share > min ? share : min;
}

static _Atomic uint64_t reserve; // bytes; 0: as by default, bytes + 1 otherwise

void bm_balloon_reserve_set(uint64_t bytes)
{
    atomic_store(&reserve, bytes == UINT64_MAX ? bytes : bytes + 1);
}

// Pages that may be taken now.
static uint64_t pages_spare(void)
{
    uint64_t said = atomic_load(&reserve);
    uint64_t kept = said ? said - 1 : reserve_min();
    uint64_t free = bm_memory_statistics_get().free;
    return free > kept ? (free - kept) / BM_PAGE_SIZE : 0;
}

static void message_send(struct virtio_balloon *self, enum virtio_balloon_message message, uint32_t count)
{
    struct bm_virtqueue *queue = message == VIRTIO_BALLOON_INFLATE ? &self->inflate : &self->deflate;
    struct bm_dma_segment segment = {bm_dma_address(&self->top->pages[self->top->count]),
                                     count * (uint32_t)sizeof *self->top->pages};
    BM_ASSERT(self->message == VIRTIO_BALLOON_NONE, "a balloon has one message under way");
    self->message = message;
    self->pending = count;
    bm_virtqueue_add(queue, &segment, 1, 0, self); // there is room: it is the only one
    bm_virtqueue_kick(queue);
}

// Gives the pages behind the sheet's last one back to the allocator.
static void pages_free(const struct virtio_balloon *self, uint32_t count)
{
    void **list = NULL;
    for (uint32_t i = 0; i < count; i++) {
        void **page = bm_memory_direct(self->top->pages[self->top->count + i] * (uint64_t)BM_PAGE_SIZE);
        *page = list;
        list = page;
    }
    bm_frame_free_list(list);
}

static void sheet_drop(struct virtio_balloon *self)
{
    struct virtio_balloon_sheet *sheet = self->top;
    if (sheet && sheet->count == 0) {
        self->top = sheet->below;
        *(void **)(void *)sheet = NULL;
        bm_frame_free_list((void **)(void *)sheet);
    }
}

bool bm_virtio_balloon_settle(struct virtio_balloon *self)
{
    struct bm_virtqueue_done done;
    struct bm_virtqueue *queue = self->message == VIRTIO_BALLOON_INFLATE ? &self->inflate : &self->deflate;
    if (self->message == VIRTIO_BALLOON_NONE || !bm_virtqueue_take(queue, &done, 1))
        return false;
    if (self->message == VIRTIO_BALLOON_INFLATE) {
        self->top->count += self->pending;
        self->held += self->pending;
    } else if (self->must_tell) {
        pages_free(self, self->pending);
    }
    self->message = VIRTIO_BALLOON_NONE;
    sheet_drop(self);
    return true;
}

// A sheet with room on top. Returns false when there is no memory for one.
static bool sheet_prepare(struct virtio_balloon *self)
{
    if (self->top && self->top->count < VIRTIO_BALLOON_SHEET)
        return true;
    struct virtio_balloon_sheet *sheet = bm_virtio_balloon_page(64);
    if (!sheet)
        return false;
    sheet->below = self->top;
    sheet->count = 0;
    self->top = sheet;
    return true;
}

// Returns whether it sent a message.
static bool grow(struct virtio_balloon *self)
{
    uint64_t spare = pages_spare();
    uint32_t want = self->wanted - self->held, count = 0;
    if (spare < 2 || !sheet_prepare(self)) // one for a sheet
        return false;
    uint32_t room = VIRTIO_BALLOON_SHEET - self->top->count;
    want = want < room ? want : room;
    want = want < VIRTIO_BALLOON_BATCH ? want : VIRTIO_BALLOON_BATCH;
    want = want < spare - 1 ? want : (uint32_t)(spare - 1);
    while (count < want) {
        void *page = bm_virtio_balloon_page(ADDRESS_BITS);
        if (!page)
            break;
        self->top->pages[self->top->count + count++] = (uint32_t)(bm_memory_physical(page) / BM_PAGE_SIZE);
    }
    if (count)
        message_send(self, VIRTIO_BALLOON_INFLATE, count);
    else
        sheet_drop(self);
    return count;
}

uint32_t bm_virtio_balloon_shrink(struct virtio_balloon *self, uint32_t pages)
{
    if (self->message != VIRTIO_BALLOON_NONE || !self->top)
        return 0;
    uint32_t count = pages < self->top->count ? pages : self->top->count;
    self->top->count -= count;
    self->held -= count;
    message_send(self, VIRTIO_BALLOON_DEFLATE, count);
    if (!self->must_tell)
        pages_free(self, count);
    return count;
}

void bm_virtio_balloon_pause(struct virtio_balloon *self)
{
    const uint64_t interval = 1000000000; // ns
    self->short_of_memory = true;
    self->next = bm_time_monotonic() + interval;
}

bool bm_virtio_balloon_step(struct virtio_balloon *self)
{
    if (self->message != VIRTIO_BALLOON_NONE || self->held == self->wanted)
        return false;
    if (self->held < self->wanted) {
        if (self->short_of_memory)
            return false;
        if (grow(self))
            return true;
        bm_virtio_balloon_pause(self);
        return false;
    }
    uint32_t excess = self->held - self->wanted;
    return bm_virtio_balloon_shrink(self, excess < VIRTIO_BALLOON_BATCH ? excess : VIRTIO_BALLOON_BATCH);
}

void bm_virtio_balloon_again(struct virtio_balloon *self)
{
    enum virtio_balloon_message message = self->message;
    self->message = VIRTIO_BALLOON_NONE;
    if (message != VIRTIO_BALLOON_NONE)
        message_send(self, message, self->pending);
}

void bm_virtio_balloon_end(struct virtio_balloon *self)
{
    self->over = true;
    self->wanted = 0;
    // A host that wants to be told first, and one that may still be at work, keeps them.
    if (self->must_tell || !self->device->silent)
        return;
    if (self->message == VIRTIO_BALLOON_INFLATE)
        pages_free(self, self->pending);
    self->message = VIRTIO_BALLOON_NONE;
    while (self->top) {
        uint32_t count = self->top->count;
        self->top->count = 0;
        self->held -= count;
        pages_free(self, count);
        sheet_drop(self);
    }
}
