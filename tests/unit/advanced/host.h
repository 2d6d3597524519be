// A driver of Intel's controllers with advanced descriptors between an invented device, which lies, and an
// invented stack.
// SPDX-License-Identifier: MIT
// The test has included registers.h of its family, and says DRIVER and CARD.
#pragma once

#include "../virtio_net/machine.h"
#include "card.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct bm_driver bm_driver_igb, bm_driver_ixgbe;

// --- The stack ---

static unsigned input_frames, input_bytes, sent, link_changes;
static uint16_t last_flags;

static inline void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    assert_non_null(queue);
    while (batch) {
        struct bm_packet *next = batch->next;
        input_frames += !(batch->flags & BM_PACKET_MORE);
        input_bytes += batch->length;
        last_flags = batch->flags;
        bm_packet_free(batch);
        batch = next;
    }
}

static inline void on_sent(struct bm_netqueue *queue, void *cookie)
{
    assert_true(queue && cookie);
    sent++;
}

static inline void link_changed(struct bm_netqueue *queue)
{
    assert_non_null(queue);
    link_changes++;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = on_sent, .link_changed = link_changed};

// --- Set-up ---

static struct bm_pci_device pci;
static struct advanced *self;
static unsigned place; // of the descriptor that the device fills next

static inline void prepare(void)
{
    machine_reset();
    memset(&card, 0, sizeof card);
    input_frames = input_bytes = sent = link_changes = place = 0;
    card.kind = &CARD;
    card.kind->power_on();
    pci = (struct bm_pci_device){.device = {.device = card.kind->device}};
}

// Starts the device that `card` describes.
static inline struct bm_netqueue *begin(void)
{
    assert_int_equal(DRIVER.attach(&pci.device), 0);
    self = pci.device.state;
    assert_int_equal(bm_netdev_start(&self->netdev, 1), 1);
    assert_int_equal(bm_netqueue_take(&self->queue, &stack, NULL), 0);
    return &self->queue;
}

static inline struct bm_netqueue *start(void)
{
    prepare();
    card.messages = 25;
    return begin();
}

static inline int set_up(void **state)
{
    (void)state;
    frames = aligned_alloc(BM_PAGE_SIZE * 256, FRAMES * BM_PAGE_SIZE);
    memory_total = 64 << 20;
    return frames ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(frames);
    return 0;
}

// The device writes a descriptor back (section 7.1.5.2).
static inline void card_receives(uint32_t descriptor_status, uint16_t length)
{
    struct advanced_descriptor *descriptor = &self->receive.descriptors[place++ % self->receive.count];
    descriptor->address = UINT64_MAX; // a hash, and what kind of frame it is
    descriptor->high = length | 0xabcdu << 16;
    descriptor->low = descriptor_status | RECEIVED_DONE;
}

static inline bool poll_once(void)
{
    return poller->poll(poller->arg);
}

static inline uint32_t *ring(unsigned base)
{
    return &card.registers[base / 4];
}

static inline struct advanced_descriptor *sends(unsigned index)
{
    return &self->send.descriptors[index];
}

static inline int send(struct bm_netqueue *queue, unsigned char *memory, uint32_t length, uint16_t checksum,
                       uint16_t offset)
{
    const struct bm_netdev_segment segment = {memory, length};
    const struct bm_netdev_frame frame = {.segments = &segment,
                                          .segment_count = 1,
                                          .checksum_start = checksum,
                                          .checksum_offset = offset,
                                          .cookie = memory};
    return queue->ops->send(queue, &frame);
}
