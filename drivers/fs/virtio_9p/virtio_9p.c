// The virtio 9P transport: a folder of the host, for development.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -fsdev local,id=f,path=folder,security_model=none -device virtio-9p-pci,fsdev=f,mount_tag=share
// (microvm: virtio-9p-device); mount=/host=9p:share
//
// The VIRTIO specification, version 1.2, has the device's number and no more (section 5); what it is follows
// QEMU (hw/9pfs/virtio-9p.h) and Linux (net/9p/trans_virtio.c): one queue, whose chains are a message and the
// room for its reply; one configuration field, the length of the share's name, and the name behind it. One
// message is under way at a time.
#include "virtio_9p.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/file_system.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/virtio.h>
#include <baremetal/wait.h>

#define F_MOUNT_TAG 1ull

extern const struct bm_file_system bm_driver_p9; // the other half
static const struct bm_file_system *const file_system __attribute__((used)) = &bm_driver_p9;

struct virtio_9p {
    struct p9 session; // first
    struct bm_virtio_device *device;
    struct bm_virtqueue queue;
    struct bm_poller poller;
    struct bm_spinlock lock; // over the queue
    bool under_way;          // the device has the buffers
    atomic_bool done;
    atomic_uint core; // that waits
    uint32_t received;
    atomic_bool taken; // by a mount
    struct virtio_9p *next;
};

static struct virtio_9p *first;

static bool virtio_9p_poll(void *arg)
{
    struct virtio_9p *self = arg;
    struct bm_virtqueue_done done;
    bm_spinlock_acquire(&self->lock);
    bool any = self->under_way && !self->device->broken && bm_virtqueue_take(&self->queue, &done, 1);
    bool over = any || (self->under_way && self->device->broken); // then there will be no answer
    if (over)
        self->under_way = false;
    if (any) {
        self->received = done.length;
        atomic_store(&self->done, true);
    }
    bm_spinlock_release(&self->lock);
    if (over)
        bm_core_wake(atomic_load(&self->core));
    return over;
}

static bool virtio_9p_arm(void *arg)
{
    struct virtio_9p *self = arg;
    bm_spinlock_acquire(&self->lock);
    bool ready = self->under_way && (self->device->broken || bm_virtqueue_arm(&self->queue, 1));
    bm_spinlock_release(&self->lock);
    return ready;
}

static uint64_t virtio_9p_deadline(void *arg)
{
    struct virtio_9p *self = arg;
    bool polled = self->under_way && !self->device->interrupts && !self->device->broken;
    return polled ? bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL : UINT64_MAX;
}

static bool is_over(void *arg)
{
    struct virtio_9p *self = arg;
    atomic_store(&self->core, bm_core_id());
    return atomic_load(&self->done) || self->device->broken;
}

// The caller has the session's buffers. Those of a device that broke may still be its own, and are not used
// again.
static long exchange(struct p9 *session, uint32_t size)
{
    struct virtio_9p *self = (struct virtio_9p *)session;
    struct bm_dma_segment segments[2] = {{bm_dma_address(session->sent), size},
                                         {bm_dma_address(session->received), P9_BUFFER}};
    bm_spinlock_acquire(&self->lock);
    atomic_store(&self->done, false);
    int error = self->device->broken ? -BM_EIO : bm_virtqueue_add(&self->queue, segments, 1, 1, self);
    self->under_way = !error;
    if (!error)
        bm_virtqueue_kick(&self->queue);
    bm_spinlock_release(&self->lock);
    if (error)
        return error;
    bm_wait_until(is_over, self, UINT64_MAX);
    return atomic_load(&self->done) ? (long)self->received : -BM_EIO;
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

struct p9 *bm_p9_find(const char *tag)
{
    for (struct virtio_9p *self = first; self; self = self->next)
        if (equal(self->session.tag, tag) && !atomic_exchange(&self->taken, true))
            return &self->session;
    return NULL;
}

static void read_tag(struct bm_virtio_device *device, void *arg)
{
    enum { NAME = 2 };
    char *tag = arg;
    uint32_t length = bm_virtio_config_read(device, 0, NAME);
    if (length >= P9_TAG_MAX)
        length = P9_TAG_MAX - 1;
    for (uint32_t i = 0; i < length; i++)
        tag[i] = (char)bm_virtio_config_read(device, NAME + i, 1);
    tag[length] = 0;
}

static int start(struct virtio_9p *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, F_MOUNT_TAG);
    if (error)
        return error;
    if (!(self->device->features & F_MOUNT_TAG)) {
        bm_virtio_fail(self->device, "has no name");
        return -BM_EIO;
    }
    bm_virtio_config_stable(self->device, read_tag, self->session.tag);
    bm_virtio_interrupt_start(self->device, 1);
    error = bm_virtqueue_create(&self->queue, self->device, 0, 2);
    if (!error && self->queue.size < 2)
        error = -BM_ENOENT;
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queue");
        return error;
    }
    bm_virtio_ready(self->device);
    return 0;
}

static int attach(struct bm_device *device)
{
    struct virtio_9p *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_9p));
    if (!self)
        return -BM_ENOMEM;
    self->session.sent = bm_memory_permanent(P9_BUFFER, BM_PAGE_SIZE);
    self->session.received = bm_memory_permanent(P9_BUFFER, BM_PAGE_SIZE);
    if (!self->session.sent || !self->session.received)
        return -BM_ENOMEM;
    self->session.exchange = exchange;
    self->device = bm_virtio_device_of(device);
    self->poller = (struct bm_poller){.name = "virtio_9p",
                                      .poll = virtio_9p_poll,
                                      .arm = virtio_9p_arm,
                                      .deadline = virtio_9p_deadline,
                                      .arg = self};
    device->state = self;
    int error = start(self);
    if (error)
        return error;
    bm_poller_add(&self->poller);
    self->next = first;
    first = self;
    bm_log_info(device->name, "share '%s'", self->session.tag);
    return 0;
}

static const struct bm_device_id ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_9P},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_9p) = {.name = "virtio_9p", .ids = ids, .attach = attach};
