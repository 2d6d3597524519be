// The network stack above a driver that is fuzzed: it judges and holds what comes, and sends frames.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../drivers/net/shared/frame.h"

#include <baremetal/netdev.h>
#include <stdlib.h>
#include <string.h>

enum { PACKETS_MAX = 64, COOKIES = 64 };
static struct bm_netqueue *stack_queue;
static unsigned frame_max; // bytes of the longest frame that may come
static bool joins;         // a frame may come in several packets
static struct bm_packet *held;
static unsigned held_count;
static bool out[COOKIES]; // frames that are under way

static void release(unsigned count)
{
    for (; held && count--; held_count--) {
        struct bm_packet *next = held->next;
        bm_packet_free(held);
        held = next;
    }
}

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    bool more = false;
    unsigned length = 0;
    (void)queue;
    while (batch) {
        struct bm_packet *next = batch->next;
        volatile unsigned char last = batch->data[batch->length - 1]; // all of it is there
        (void)last;
        length = batch->length + (more ? length : 0);
        more = batch->flags & BM_PACKET_MORE;
        if (!batch->length || batch->length > FRAME_ROOM || (more && (!next || !joins)) ||
            (!more && length < FRAME_MIN) || length > frame_max)
            abort();
        for (const struct bm_packet *other = held; other; other = other->next)
            if (other == batch)
                abort(); // the stack has it
        batch->next = held;
        held = batch;
        held_count++;
        batch = next;
    }
    if (held_count > PACKETS_MAX)
        release(PACKETS_MAX / 2);
}

static void on_sent(struct bm_netqueue *queue, void *cookie)
{
    (void)queue;
    bool *entry = cookie;
    if (entry < out || entry >= out + COOKIES || !*entry)
        abort();
    *entry = false;
}

static void link_changed(struct bm_netqueue *queue)
{
    (void)queue;
}

static void stack_start(struct bm_netdev *netdev, struct bm_netqueue *queue)
{
    static const struct bm_netdev_stack stack = {
        .input = input, .sent = on_sent, .link_changed = link_changed};
    memset(out, 0, sizeof out);
    stack_queue = queue;
    if (bm_netdev_start(netdev, 1) != 1 || bm_netqueue_take(queue, &stack, NULL))
        abort();
}

static void send(unsigned char *memory, uint8_t shape, uint8_t length)
{
    struct bm_netdev_segment segments[BM_NETDEV_SEGMENTS_MAX];
    unsigned cookie = 0, count = 1 + shape % BM_NETDEV_SEGMENTS_MAX;
    while (cookie < COOKIES && out[cookie])
        cookie++;
    if (cookie == COOKIES)
        return;
    for (unsigned i = 0; i < count; i++)
        segments[i] = (struct bm_netdev_segment){memory + 1500 * i, length * (i ? 6u : 1u)};
    struct bm_netdev_frame frame = {.segments = segments, .segment_count = count, .cookie = &out[cookie]};
    if (shape & 0x80) {
        frame.checksum_start = 34;
        frame.checksum_offset = 16;
    }
    if (shape & 0x40) {
        frame.gso_type = BM_NETDEV_GSO_TCP4;
        frame.gso_size = 1000;
        frame.header_length = 54;
    }
    out[cookie] = true;
    if (stack_queue->ops->send(stack_queue, &frame))
        out[cookie] = false;
}

// After the driver has failed: all frames come back.
static void stack_end(void)
{
    while (stack_queue->poller.poll(stack_queue->poller.arg))
        ;
    release(held_count);
    for (unsigned i = 0; i < COOKIES; i++)
        if (out[i])
            abort();
}
