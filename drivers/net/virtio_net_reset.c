// The virtio network device that says that it needs a reset, or is gone: begun anew, or silenced.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Linked only with baremetal::virtio_net_reset, which baremetal::drivers has. Section numbers are those of
// the VIRTIO specification, version 1.3.
//
// A device that says DEVICE_NEEDS_RESET (section 2.1.2) is first switched off like one that broke the rules:
// each pair's poller gives back, on its own core, what the device still had, and lets nobody in. Whoever is
// the last of them begins the device anew. What was on its way is lost, as frames may be; to the stack it
// looks like a link that went down and came back.
//
// A device that is gone says nothing and interrupts no more. Frames that do not go out are what tells: after
// a second the status is read, which is all ones then.
#include "virtio_net.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

enum {
    CHECK_INTERVAL = 1000 * 1000 * 1000, // ns
    RESETS_MAX = 8                       // in RESETS_TIME: a device that wants more will not get well by it
};
static const uint64_t resets_time = 60000000000; // ns

static struct virtio_net *device_of(const struct virtio_net_pair *pair)
{
    return (struct virtio_net *)pair->queue.device;
}

// Has each pair's core look at its poller again; this one is as good as any for those that are not bound.
static void cores_wake(const struct virtio_net *self)
{
    for (struct bm_netqueue *queue = self->netdev.queues; queue; queue = queue->next) {
        uint32_t core = queue->poller.core;
        bm_core_wake(core ? core - 1 : bm_core_id());
    }
}

// Whether the device may be reset once more.
static bool resets_count(struct virtio_net_watch *watch, uint64_t now)
{
    if (watch->count == 0 || now - watch->first > resets_time) {
        watch->first = now;
        watch->count = 0;
    }
    return ++watch->count <= RESETS_MAX;
}

// Looks at the status; returns whether the device had to be switched off. In the first pair's poller or that
// of the watch: bm_virtio_fail is for one of them only.
static bool status_look(struct virtio_net *self)
{
    enum { DRIVER_OK = 4 };
    uint8_t status = self->device->transport->status_get(self->device);
    if (self->device->broken || (!(status & BM_VIRTIO_NEEDS_RESET) && status & DRIVER_OK))
        return false;
    const char *why = "is gone"; // all bits are set
    if (status != BM_VIRTIO_GONE) {
        bool more = resets_count(&self->watch, bm_time_monotonic());
        atomic_store(&self->watch.wanted, more);
        why = !more                ? "needs a reset again and again"
              : status & DRIVER_OK ? "says that it needs a reset"
                                   : "has forgotten that it was in use";
    }
    bm_virtio_fail(self->device, why);
    cores_wake(self);
    return true;
}

// Steps 1 to 8 of section 3.1.1 with the queues that there are. Nobody is in them.
static int queues_restart(struct virtio_net *self)
{
    int error = bm_virtio_restart(self->device);
    for (struct bm_netqueue *queue = self->netdev.queues; queue && !error; queue = queue->next) {
        struct virtio_net_pair *pair = (struct virtio_net_pair *)queue;
        pair->full = pair->off = false;
        error = bm_virtqueue_restart(&pair->receive);
        if (!error)
            error = bm_virtqueue_restart(&pair->transmit);
    }
    if (!error && self->netdev.queue_count > 1)
        error = bm_virtqueue_restart(&self->control);
    return error;
}

// By the last pair: the pollers fill up as soon as they find the device whole.
void bm_virtio_net_restart(struct virtio_net *self)
{
    struct bm_virtio_device *device = self->device;
    const char *name = device->device.name;
    atomic_store(&self->watch.wanted, false);
    atomic_store(&self->watch.off, 0);
    if (queues_restart(self)) {
        bm_log_error(name, "does not come back from its reset");
        return;
    }
    bm_virtio_ready(device);
    atomic_store(&device->config_changed, true); // the link
    device->silent = false;
    __atomic_store_n(&device->broken, false, __ATOMIC_RELEASE);
    if (self->netdev.queue_count > 1 && bm_virtio_net_pairs_use(self, self->netdev.queue_count)) {
        bm_virtio_fail(device, "does not take back its queues");
        return;
    }
    bm_log_warn(name, "goes on after its reset");
    cores_wake(self);
}

void bm_virtio_net_config_changed(struct virtio_net_pair *pair)
{
    struct virtio_net *self = device_of(pair);
    if (!self->device->broken) {
        if (!status_look(self))
            bm_virtio_net_link_read(self);
        return;
    }
    if (pair->queue.number == 0)
        bm_virtio_net_link_read(self);
    if (pair->off || !self->device->silent || !atomic_load(&self->watch.wanted))
        return;
    pair->off = true;
    if (atomic_fetch_add(&self->watch.off, 1) + 1 == self->netdev.queue_count)
        bm_virtio_net_restart(self);
}

// --- The watch ---

// Frames do not go out, and the device is well: it may have missed that they are there. QEMU (7.2) forgets in
// packed rings where it is when it throws frames away while the link is down, and asks for no doorbell after
// that; when it rings all the same, it finds that its count is wrong, and wants a reset.
static void doorbells_ring(struct virtio_net *self)
{
    for (struct bm_netqueue *queue = self->netdev.queues; queue; queue = queue->next)
        self->device->transport->notify(&((struct virtio_net_pair *)queue)->transmit);
}

static bool watch_poll(void *arg)
{
    struct virtio_net *self = arg;
    if (__builtin_expect(!self->watch.due, 1))
        return false;
    self->watch.due = false;
    self->watch.check = bm_time_monotonic() + CHECK_INTERVAL;
    if (status_look(self))
        return true;
    doorbells_ring(self);
    return false;
}

// Frames that the device has, and those that it is done with.
static uint64_t frames_count(const struct virtio_net *self, uint64_t *completed)
{
    uint64_t transmitted = *completed = 0;
    for (const struct bm_netqueue *queue = self->netdev.queues; queue; queue = queue->next) {
        transmitted += queue->transmitted;
        *completed += queue->transmit_completed;
    }
    return transmitted - *completed;
}

static bool watch_arm(void *arg)
{
    struct virtio_net *self = arg;
    struct virtio_net_watch *watch = &self->watch;
    uint64_t completed, under_way = frames_count(self, &completed), now = bm_time_monotonic();
    if (!under_way || completed != watch->completed) {
        watch->completed = completed;
        watch->check = now + CHECK_INTERVAL;
    }
    watch->due = !self->device->broken && now >= watch->check;
    return watch->due;
}

static uint64_t watch_deadline(void *arg)
{
    const struct virtio_net *self = arg;
    uint64_t completed;
    if (self->device->broken)
        return UINT64_MAX;
    return frames_count(self, &completed) ? self->watch.check : UINT64_MAX;
}

int bm_virtio_net_start(struct bm_netdev *netdev, unsigned count)
{
    struct virtio_net *self = (struct virtio_net *)netdev;
    int error = bm_virtio_net_start_only(netdev, count);
    if (error)
        return error;
    self->watch.poller = (struct bm_poller){.name = "virtio_net watch",
                                            .poll = watch_poll,
                                            .arm = watch_arm,
                                            .deadline = watch_deadline,
                                            .arg = self};
    self->watch.check = bm_time_monotonic() + CHECK_INTERVAL;
    bm_poller_add(&self->watch.poller);
    return 0;
}
