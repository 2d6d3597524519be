// Frames by the first queue of each network device, without a stack.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/netdev.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>
#include <stddef.h>

enum { FRAME_MIN = 14, FRAME_MAX = 1522, WAITING_MAX = 256, LOOK_NS = 100000 };

static struct interface {
    struct bm_netqueue *queue; // NULL: not tried yet, or it cannot be had
    bool tried;
    struct bm_spinlock lock;         // of the list
    struct bm_packet *first, **tail; // received
    unsigned waiting;
    struct bm_packet *shown; // what b_net_rx returned last
    _Atomic(bool) sending;   // the frame is the device's
    unsigned char frame[BM_NETDEV_HEADROOM + FRAME_MAX];
} interfaces[BM_NETDEV_MAX];

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    struct interface *self = queue->stack_state;
    while (batch) {
        struct bm_packet *packet = batch;
        batch = packet->next;
        packet->next = NULL;
        bm_spinlock_acquire(&self->lock);
        // Frames of several packets are longer than what BareMetal's programs know.
        bool fits = self->waiting < WAITING_MAX && !(packet->flags & BM_PACKET_MORE);
        if (fits) {
            *self->tail = packet;
            self->tail = &packet->next;
            self->waiting++;
        }
        bm_spinlock_release(&self->lock);
        if (!fits)
            bm_packet_free(packet);
    }
}

static void sent(struct bm_netqueue *queue, void *cookie)
{
    (void)queue;
    atomic_store(&((struct interface *)cookie)->sending, false);
}

static void link_changed(struct bm_netqueue *queue)
{
    (void)queue;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = sent, .link_changed = link_changed};

static struct bm_netdev *device_find(u64 number)
{
    struct bm_netdev *device = bm_netdev_first();
    while (device && number--)
        device = device->next;
    return device;
}

// The interface, started and taken at its first use; NULL: there is none.
static struct interface *interface_find(u64 number)
{
    struct bm_netdev *device = device_find(number);
    if (!device || number >= BM_NETDEV_MAX)
        return NULL;
    struct interface *self = &interfaces[number];
    if (!self->tried) {
        self->tried = true;
        self->tail = &self->first;
        struct bm_netqueue *queue = bm_netdev_start(device, 1) < 1 ? NULL : bm_netdev_queue(device, 0);
        if (queue && bm_netqueue_take(queue, &stack, self) == 0)
            self->queue = queue;
        else
            bm_log_error("exokernel",
                         "interface %lu cannot be used: another stack has it, or its driver failed",
                         (unsigned long)number);
    }
    return self->queue ? self : NULL;
}

static bool is_sent(void *arg)
{
    return !atomic_load(&((struct interface *)arg)->sending);
}

// A frame is copied: there must be room in front of it, and the program's memory may be anything.
void b_net_tx(void *mem, u64 len, u64 iid)
{
    struct interface *self = interface_find(iid);
    if (!self || len < FRAME_MIN || len > FRAME_MAX)
        return;
    BM_ASSERT(!atomic_load(&self->sending), "two cores must not send by one interface at once");
    __builtin_memcpy(self->frame + BM_NETDEV_HEADROOM, mem, len);
    struct bm_netdev_segment segment = {self->frame + BM_NETDEV_HEADROOM, (uint32_t)len};
    struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = self};
    atomic_store(&self->sending, true);
    int error = self->queue->ops->send(self->queue, &frame);
    if (error) {
        atomic_store(&self->sending, false);
        return;
    }
    self->queue->ops->flush(self->queue);
    // Drivers want no interrupt for what they have sent while there is room: they are asked.
    while (!bm_wait_until(is_sent, self, bm_time_monotonic() + LOOK_NS))
        ;
}

u64 b_net_rx(void **mem, u64 iid)
{
    struct interface *self = interface_find(iid);
    if (!self)
        return 0;
    if (self->shown)
        bm_packet_free(self->shown);
    bm_poll();
    bm_spinlock_acquire(&self->lock);
    struct bm_packet *packet = self->first;
    if (packet) {
        self->first = packet->next;
        self->waiting--;
        if (!self->first)
            self->tail = &self->first;
    }
    bm_spinlock_release(&self->lock);
    self->shown = packet;
    if (packet)
        *mem = packet->data;
    return packet ? packet->length : 0;
}

u64 bm_exokernel_net_status(u64 number)
{
    const struct bm_netdev *device = device_find(number);
    u64 mac = 0;
    for (unsigned i = 0; device && i < sizeof device->mac; i++)
        mac = mac << 8 | device->mac[i];
    return mac;
}
