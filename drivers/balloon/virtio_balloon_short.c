// Memory has ended: the balloon gives pages back to who needs them (VIRTIO_BALLOON_F_DEFLATE_ON_OOM).
// SPDX-License-Identifier: MIT
// @optimize size
//
// The linker leads the calls of the frame allocator here (its option --wrap), and in programs with
// baremetal::frame_cache to the caches, which call bm_frame_short when they are empty, too: its definitions
// are strong ones, those here are weak.
#include "virtio_balloon.h"

#include "../../libbaremetal/base/stack.h"
#include "../../libbaremetal/memory/frame.h"

#include <baremetal/balloon.h>
#include <baremetal/time.h>
#include <stdatomic.h>

BM_ATOMIC(struct virtio_balloon *) bm_virtio_balloon_giver;
static _Atomic uint64_t returned; // pages

void *__real_bm_frame_allocate_below(unsigned order, unsigned bits);
void *__wrap_bm_frame_allocate(unsigned order);
void *__wrap_bm_frame_allocate_below(unsigned order, unsigned bits);

void *bm_virtio_balloon_page(unsigned bits)
{
    return __real_bm_frame_allocate_below(0, bits);
}

__attribute__((weak)) void *__wrap_bm_frame_allocate_below(unsigned order, unsigned bits)
{
    void *block = __real_bm_frame_allocate_below(order, bits);
    if (!block && order <= BM_FRAME_ORDER_MAX && bm_frame_short(BM_PAGE_SIZE << order))
        block = __real_bm_frame_allocate_below(order, bits);
    return block;
}

__attribute__((weak)) void *__wrap_bm_frame_allocate(unsigned order)
{
    return __wrap_bm_frame_allocate_below(order, 64);
}

// The device does not answer. Nobody waits for it again until it does; one that is gone never will.
static void stall(struct virtio_balloon *self)
{
    self->stalled = true;
    if (self->device->transport->status_get(self->device) == BM_VIRTIO_GONE)
        bm_virtio_fail(self->device, "is gone");
}

// Waits until no message is under way; whoever asks has nothing better to do, and may hold any lock.
static bool settled(struct virtio_balloon *self)
{
    const uint64_t wait_max = 1000000000; // ns
    uint64_t end = bm_time_monotonic() + wait_max;
    while (self->message != VIRTIO_BALLOON_NONE && !bm_virtio_balloon_settle(self)) {
        if (!self->device->broken && !self->stalled && bm_time_monotonic() > end)
            stall(self);
        if (self->device->broken || self->stalled)
            return false;
        __builtin_ia32_pause();
    }
    self->stalled = false;
    return true;
}

// All that a broken device has, as far as it can be given back; returns how many pages.
static uint64_t end(struct virtio_balloon *self)
{
    uint64_t before = self->held;
    atomic_store(&bm_virtio_balloon_giver, NULL);
    bm_virtio_balloon_end(self);
    return before - self->held;
}

bool bm_frame_short(uint64_t bytes)
{
    struct virtio_balloon *self = atomic_load(&bm_virtio_balloon_giver);
    uint64_t pages = bytes / BM_PAGE_SIZE, given = 0;
    if (!self)
        return false;
    bm_stack_ready(BM_STACK_SPACE); // other locks are taken under this one, and it in a page fault
    bm_spinlock_acquire(&self->lock);
    // Twice as many hold a block of that size, if they lie together as they did when they were taken.
    if (pages <= self->held)
        pages = 2 * pages > VIRTIO_BALLOON_BATCH ? 2 * pages : VIRTIO_BALLOON_BATCH;
    else
        pages = 0;
    while (given < pages && !self->device->broken && settled(self)) {
        uint64_t left = pages - given;
        uint32_t count = bm_virtio_balloon_shrink(self, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
        if (!count)
            break;
        given += count;
    }
    if (given && self->must_tell && !settled(self))
        given = 0; // they come back with the device's answer
    if (self->device->broken && !self->over)
        given += end(self);
    // What is free now is for who asks; the balloon grows again in a while, when there is enough.
    if (given)
        bm_virtio_balloon_pause(self);
    bm_spinlock_release(&self->lock);
    atomic_fetch_add(&returned, given);
    return given;
}

uint64_t bm_virtio_balloon_returned(void)
{
    return atomic_load(&returned) * BM_PAGE_SIZE;
}
