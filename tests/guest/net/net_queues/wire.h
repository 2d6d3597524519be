// A network driver with several queues, written against <baremetal/netdev.h> alone: devices joined in pairs.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/cpu.h>
#include <baremetal/device.h>
#include <baremetal/error.h>
#include <baremetal/memory.h>
#include <baremetal/netdev.h>
#include <stdatomic.h>

#include "check.h"

enum { QUEUES = 4, RING = 64, BUFFERS = 128 };

// A queue's receive side: its peer puts copies of frames into the ring, its poller hands them over.
struct wire_queue {
    struct bm_netqueue queue; // first
    struct wire_queue *peer;
    struct bm_packet *ring[RING];    // written by the peer's send
    void *cookies[RING];             // of frames that were sent and not yet given back
    atomic_uint put, visible, taken; // of the ring: by the peer, shown by its doorbell, by this side
    // Of the cookies: by the sender, and by the poller, which of a queue that is not bound is another core.
    atomic_uint sent, returned;
    atomic_int bound;          // core that may touch it; -1: any
    atomic_uint strangers;     // calls on other cores
    atomic_uint calls[QUEUES]; // by core
};

struct wire {
    struct bm_netdev netdev; // first
    struct wire *peer;
};

static struct wire wires[4]; // 0 with 1, 2 with 3

static void touched(struct wire_queue *self)
{
    int bound = atomic_load(&self->bound);
    unsigned core = bm_core_id();
    if (core < QUEUES)
        atomic_fetch_add(&self->calls[core], 1);
    if (bound >= 0 && (unsigned)bound != core)
        atomic_fetch_add(&self->strangers, 1);
}

// Copies the frame into one of the peer's buffers. Buffers come from a lock-protected pool, as they do for
// any device; what belongs to the queue is this side's.
static int wire_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    struct wire_queue *self = (struct wire_queue *)queue, *peer = self->peer;
    touched(self);
    if (!frame->cookie || !frame->segment_count || frame->checksum_start || frame->gso_type)
        return -BM_EINVAL;
    unsigned sent = atomic_load(&self->sent);
    if (atomic_load(&peer->put) - atomic_load(&peer->taken) == RING ||
        sent - atomic_load(&self->returned) == RING)
        return -BM_EAGAIN;
    struct bm_packet *packet = bm_packet_allocate(peer->queue.pool, 1);
    if (!packet)
        return -BM_EAGAIN;
    packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
    packet->length = packet->flags = 0;
    for (unsigned i = 0; i < frame->segment_count; i++) {
        const struct bm_netdev_segment *segment = &frame->segments[i];
        CHECK(packet->length + segment->length <= BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET);
        memcpy(packet->data + packet->length, segment->data, segment->length);
        packet->length = (uint16_t)(packet->length + segment->length);
    }
    memset((char *)(uintptr_t)frame->segments[0].data - BM_NETDEV_HEADROOM, 0x5a, BM_NETDEV_HEADROOM);
    peer->ring[atomic_fetch_add(&peer->put, 1) % RING] = packet;
    self->cookies[sent % RING] = frame->cookie; // before anybody is told
    atomic_store(&self->sent, sent + 1);
    queue->transmitted++;
    queue->transmitted_bytes += packet->length;
    return 0;
}

// The doorbell: the peer's interrupt, on the core that it is aimed at.
static void wire_flush(struct bm_netqueue *queue)
{
    struct wire_queue *self = (struct wire_queue *)queue, *peer = self->peer;
    touched(self);
    unsigned put = atomic_load(&peer->put);
    if (atomic_exchange(&peer->visible, put) == put)
        return;
    int core = atomic_load(&peer->bound);
    bm_core_wake(core >= 0 ? (unsigned)core : 0);
    bm_core_wake(bm_core_id()); // to give the cookies back
}

static bool wire_poll(void *arg)
{
    struct wire_queue *self = arg;
    struct bm_netqueue *queue = &self->queue;
    struct bm_packet *batch = NULL, **tail = &batch;
    bool worked = false;
    touched(self);
    for (unsigned returned; (returned = atomic_load(&self->returned)) != atomic_load(&self->sent);) {
        void *cookie = self->cookies[returned % RING];
        atomic_store(&self->returned, returned + 1);
        queue->transmit_completed++;
        queue->stack->sent(queue, cookie);
        worked = true;
    }
    unsigned taken = atomic_load(&self->taken);
    for (unsigned visible = atomic_load(&self->visible); taken != visible; taken++) {
        struct bm_packet *packet = self->ring[taken % RING];
        packet->next = NULL;
        queue->received++;
        queue->received_bytes += packet->length;
        *tail = packet;
        tail = &packet->next;
    }
    atomic_store(&self->taken, taken);
    const struct bm_netdev_stack *stack = __atomic_load_n(&queue->stack, __ATOMIC_ACQUIRE);
    while (!stack && batch) {
        struct bm_packet *next = batch->next;
        queue->receive_dropped++;
        bm_packet_free(batch);
        batch = next;
    }
    if (batch)
        stack->input(queue, batch);
    return worked || batch;
}

static bool wire_arm(void *arg)
{
    struct wire_queue *self = arg;
    touched(self);
    return atomic_load(&self->returned) != atomic_load(&self->sent) ||
           atomic_load(&self->visible) != atomic_load(&self->taken);
}

static int wire_aim(struct bm_netqueue *queue, unsigned core)
{
    // From here on the other cores are strangers; one of them may be in its last round.
    atomic_store(&((struct wire_queue *)queue)->bound, (int)core);
    return 0;
}

static int wire_start(struct bm_netdev *netdev, unsigned count)
{
    struct wire *self = (struct wire *)netdev;
    for (unsigned i = 0; i < count; i++) {
        struct wire_queue *queue = bm_memory_permanent(sizeof *queue, 64);
        if (queue)
            queue->queue.pool = bm_packet_pool_create(BUFFERS, BUFFERS);
        if (!queue || !queue->queue.pool)
            return -BM_ENOMEM;
        atomic_store(&queue->bound, -1);
        queue->queue.poller =
            (struct bm_poller){.name = "wire", .poll = wire_poll, .arm = wire_arm, .arg = queue};
        bm_netqueue_add(netdev, &queue->queue);
        struct wire_queue *peer = (struct wire_queue *)bm_netdev_queue(&self->peer->netdev, i);
        if (peer) {
            queue->peer = peer;
            peer->peer = queue;
        }
    }
    return 0;
}

static const struct bm_netdev_ops wire_ops = {
    .send = wire_send, .flush = wire_flush, .start = wire_start, .aim = wire_aim};

// The devices start with four queues, before lwIP asks for one: whoever comes first says how many. lwIP knows
// of the first alone; the others are the program's.
static int wire_attach(struct bm_device *machine)
{
    (void)machine;
    for (unsigned i = 0; i < 4; i++) {
        wires[i] = (struct wire){.netdev = {.driver = "wire",
                                            .mac = {0x02, 0, 0, 0, 0, (unsigned char)(1 + i)},
                                            .mtu = 1500,
                                            .link_up = true,
                                            .queue_max = 2 * QUEUES,
                                            .ops = &wire_ops},
                                 .peer = &wires[i ^ 1]};
        if (i == 0)
            bm_netdev_add(&wires[0].netdev);
        int count = bm_netdev_start(&wires[i].netdev, QUEUES);
        if (count != QUEUES)
            return count < 0 ? count : -BM_ENOMEM;
    }
    return 0;
}

static const struct bm_device_id wire_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};
BM_DRIVER(wire) = {.name = "wire", .ids = wire_ids, .attach = wire_attach};
