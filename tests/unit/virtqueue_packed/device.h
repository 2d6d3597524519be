// A device with one packed virtqueue, by the words of VIRTIO 1.2 section 2.8, and the kernel below it: for
// the unit test of the driver's side.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/virtio/virtqueue_packed.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The kernel's side of the invented machine ---

static unsigned errors, frames_left;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 1000000;
}

void *bm_frame_allocate(unsigned order)
{
    return frames_left && frames_left-- ? aligned_alloc(BM_PAGE_SIZE, BM_PAGE_SIZE << order) : NULL;
}

void bm_frame_free(void *block, unsigned order)
{
    (void)order;
    free(block);
}

// --- The device ---

static uint8_t status;
static unsigned offered_size, notified, interrupts, enabled;
static struct bm_virtio_device device;
static struct bm_virtqueue queue;

struct device_chain {
    uint16_t id;
    unsigned slots;   // that it has
    uint32_t first;   // address of its first piece
    uint32_t written; // bytes that may be written
};
static struct {
    unsigned next, used; // slots
    bool wrap, used_wrap;
    struct device_chain had[1024]; // taken, and not returned
    unsigned count;
} side;

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };

static uint16_t flags_of(unsigned slot)
{
    return (uint16_t)(bm_virtqueue_slots(&queue)[slot].word >> 16);
}

static bool device_sees(void)
{
    uint16_t flags = flags_of(side.next);
    return !!(flags & DESC_AVAIL) == side.wrap && !!(flags & DESC_USED) != side.wrap;
}

// Takes the next chain; false: there is none.
static bool device_take(void)
{
    struct device_chain chain = {0};
    bool more = true;
    if (!device_sees())
        return false;
    chain.first = (uint32_t)bm_virtqueue_slots(&queue)[side.next].address;
    while (more) {
        const struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(&queue)[side.next];
        uint16_t flags = flags_of(side.next);
        assert_true(device_sees()); // all of it is available
        assert_true(chain.slots < queue.size);
        assert_true(!chain.written || flags & DESC_WRITE);
        assert_int_equal(slot->address, chain.first + chain.slots);
        chain.written += flags & DESC_WRITE ? slot->length : 0;
        chain.id = (uint16_t)slot->word;
        chain.slots++;
        more = flags & DESC_NEXT;
        if (++side.next == queue.size) {
            side.next = 0;
            side.wrap = !side.wrap;
        }
    }
    for (unsigned i = 0; i < side.count; i++)
        assert_int_not_equal(side.had[i].id, chain.id);
    side.had[side.count++] = chain;
    return true;
}

// Section 2.8.22: whether the driver wants to hear of what was returned, up to `slots` slots behind `before`.
static void interrupt_raise(unsigned before, bool before_wrap, unsigned slots)
{
    uint32_t events = *(const uint32_t *)(const void *)queue.available;
    unsigned flags = events >> 16, at = events & 0x7fff;
    bool wrap = events >> 15 & 1;
    if (flags == 0) {
        interrupts++;
    } else if (flags == 2) {
        for (unsigned i = 0; i < slots; i++) {
            interrupts += before == at && before_wrap == wrap;
            if (++before == queue.size) {
                before = 0;
                before_wrap = !before_wrap;
            }
        }
    }
}

static void used_write(uint16_t id, uint32_t length, unsigned slots)
{
    struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(&queue)[side.used];
    unsigned before = side.used;
    bool before_wrap = side.used_wrap;
    slot->length = length;
    slot->word = id | (side.used_wrap ? (uint32_t)(DESC_AVAIL | DESC_USED) << 16 : 0);
    side.used += slots;
    if (side.used >= queue.size) {
        side.used -= queue.size;
        side.used_wrap = !side.used_wrap;
    }
    interrupt_raise(before, before_wrap, slots);
}

// Returns the chain that it took as number `which` of those that it has.
static struct device_chain device_return(unsigned which, uint32_t length)
{
    struct device_chain chain = side.had[which];
    side.had[which] = side.had[--side.count];
    used_write(chain.id, length, chain.slots);
    return chain;
}

static void device_events(unsigned flags, unsigned slot, bool wrap)
{
    *(uint32_t *)(void *)queue.used = flags << 16 | (uint32_t)wrap << 15 | slot;
}

// --- Its registers ---

static uint8_t status_get(struct bm_virtio_device *d)
{
    (void)d;
    return status;
}

static void status_set(struct bm_virtio_device *d, uint8_t value)
{
    (void)d;
    status = value;
}

static unsigned size_get(struct bm_virtio_device *d, unsigned index)
{
    (void)d;
    return index == 0 ? offered_size : 0;
}

static int queue_enable(struct bm_virtio_device *d, struct bm_virtqueue *q, unsigned interrupt)
{
    (void)d;
    (void)interrupt;
    assert_int_equal((uintptr_t)q->descriptors % 16, 0);
    assert_int_equal((uintptr_t)q->available % 4, 0);
    assert_int_equal((uintptr_t)q->used % 4, 0);
    assert_int_equal(*(uint32_t *)(void *)q->available, 1 << 16); // no interrupts
    enabled++;
    return 0;
}

static void notify(struct bm_virtqueue *q)
{
    (void)q;
    notified++;
}

static const struct bm_virtio_transport transport = {.status_get = status_get,
                                                     .status_set = status_set,
                                                     .queue_size = size_get,
                                                     .queue_enable = queue_enable,
                                                     .notify = notify};

static void start(uint64_t features, unsigned size)
{
    free(queue.descriptors);
    free(queue.entries ? (void *)bm_virtqueue_packed_of(&queue) : NULL);
    memset(&side, 0, sizeof side);
    side.wrap = side.used_wrap = true;
    status = 0;
    errors = notified = interrupts = enabled = 0;
    frames_left = 100;
    offered_size = size;
    device = (struct bm_virtio_device){.transport = &transport, .features = features};
    assert_int_equal(bm_virtqueue_packed_create(&queue, &device, 0, BM_VIRTQUEUE_SIZE_MAX), 0);
    assert_int_equal(queue.size, size);
    assert_int_equal(enabled, 1);
}

static int add(unsigned readable, unsigned writable, uintptr_t cookie)
{
    struct bm_dma_segment segments[1024];
    for (unsigned i = 0; i < readable + writable; i++)
        segments[i] = (struct bm_dma_segment){0x1000 * cookie + i, 10};
    return bm_virtqueue_packed_add(&queue, segments, readable, writable, (void *)cookie);
}

static uintptr_t take(uint32_t *length)
{
    struct bm_virtqueue_done done;
    if (!bm_virtqueue_packed_take(&queue, &done, 1))
        return 0;
    if (length)
        *length = done.length;
    return (uintptr_t)done.cookie;
}
