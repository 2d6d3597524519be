// The virtio socket device: streams to the host and to other machines on it, without a network.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device vhost-vsock-pci,guest-cid=3, with the host's module vhost_vsock; -device
// vhost-user-vsock-pci,chardev=c with a program that serves it. Firecracker and Cloud Hypervisor: "vsock".
//
// Section numbers are those of the VIRTIO specification, version 1.2; the socket device is section 5.10.
#include "virtio_vsock.h"

#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

#define F_STREAM (1ull << 0)

enum { EVENTS = 8, EVENTS_AT = 3072, TRANSPORT_RESET = 0, SEND_QUEUE = 128 };
_Static_assert(VSOCK_CONTROLS *VSOCK_HEADER <= EVENTS_AT, "the page has room for both");

struct vsock_device bm_vsock;

static void cid_read(struct bm_virtio_device *device, void *cid)
{
    *(uint64_t *)cid = bm_virtio_config_read(device, 0, 4) | (uint64_t)bm_virtio_config_read(device, 4, 4)
                                                                 << 32;
}

// 0 where the device says none that a machine can have (section 5.10.4).
static uint32_t cid_of(struct bm_virtio_device *device)
{
    uint64_t cid;
    bm_virtio_config_stable(device, cid_read, &cid);
    return cid > BM_VSOCK_HOST && cid < BM_VSOCK_ANY ? (uint32_t)cid : 0;
}

// --- Receiving ---

static void page_give(struct bm_virtqueue *queue, void *buffer, uint32_t size)
{
    const struct bm_dma_segment segment = {bm_dma_address(buffer), size};
    bm_virtqueue_add(queue, &segment, 0, 1, buffer);
}

// For a connection that somebody asks for; memory is taken without the lock.
static struct vsock *made_for(const struct vsock_header *header)
{
    bm_vsock_lock();
    const struct vsock *listener = bm_vsock_listener(header->destination_port);
    bool wanted = header->operation == VSOCK_REQUEST && header->type == VSOCK_STREAM && listener &&
                  listener->pending_count <= listener->backlog;
    bm_vsock_unlock();
    struct vsock *made = wanted ? bm_vsock_make(false) : NULL;
    if (made && bm_vsock_prepare(made)) {
        bm_vsock_close_fresh(made);
        made = NULL;
    }
    return made;
}

static void packet_take(const unsigned char *page, uint32_t length)
{
    struct vsock_header header; // once: the device may write to the page at any time
    if (length < VSOCK_HEADER)
        return;
    __builtin_memcpy(&header, page, sizeof header);
    if (header.length > length - VSOCK_HEADER)
        return;
    struct vsock *made = made_for(&header);
    bm_vsock_lock();
    bm_vsock_take(&header, page + VSOCK_HEADER, &made);
    bm_vsock_unlock();
    if (made)
        bm_vsock_close_fresh(made);
}

// Each packet may have to be answered: without room for that it waits.
static bool packets_take(void)
{
    struct bm_virtqueue_done done[VSOCK_BATCH];
    bm_vsock_lock();
    bm_vsock_reclaim();
    bm_vsock_pay();
    unsigned max = (unsigned)__builtin_popcountll(bm_vsock.controls_free);
    bm_vsock_unlock();
    unsigned count = bm_virtqueue_take(&bm_vsock.receive, done, max < VSOCK_BATCH ? max : VSOCK_BATCH);
    for (unsigned i = 0; i < count && !bm_vsock.device->broken; i++) {
        packet_take(done[i].cookie, done[i].length);
        page_give(&bm_vsock.receive, done[i].cookie, BM_PAGE_SIZE);
    }
    if (count && !bm_vsock.device->broken)
        bm_virtqueue_kick(&bm_vsock.receive);
    return count;
}

// --- Events ---

static void connections_end(int error)
{
    bm_vsock_lock();
    for (struct vsock *at = bm_vsock.all; at; at = at->next)
        if (at->state == VSOCK_CONNECTING || at->state == VSOCK_CONNECTED)
            bm_vsock_end(at, error);
    bm_vsock_unlock();
}

// The machine goes on elsewhere, under another CID perhaps: who listens keeps listening (section 5.10.6.7).
static bool events_take(void)
{
    struct bm_virtqueue_done done;
    bool worked = false;
    while (!bm_vsock.device->broken && bm_virtqueue_take(&bm_vsock.event, &done, 1)) {
        worked = true;
        if (done.length >= sizeof(uint32_t) && *(volatile uint32_t *)done.cookie == TRANSPORT_RESET) {
            connections_end(BM_ECONNRESET);
            atomic_store(&bm_vsock.cid, cid_of(bm_vsock.device));
        }
        page_give(&bm_vsock.event, done.cookie, sizeof(uint32_t));
    }
    if (worked && !bm_vsock.device->broken)
        bm_virtqueue_kick(&bm_vsock.event);
    return worked;
}

// --- The poller ---

static bool expire(void)
{
    bm_vsock_lock();
    struct vsock *gone = bm_vsock.deadline != UINT64_MAX && bm_time_monotonic() >= bm_vsock.deadline
                             ? bm_vsock_expire()
                             : NULL;
    bm_vsock_unlock();
    bool worked = gone;
    while (gone) {
        struct vsock *next = gone->next;
        bm_vsock_free(gone);
        gone = next;
    }
    return worked;
}

static bool vsock_poll(void *arg)
{
    (void)arg;
    bool worked = false;
    if (!bm_vsock.device->broken) {
        worked = packets_take();
        worked |= events_take();
    }
    if (bm_vsock.device->broken && !bm_vsock.broken_told) {
        bm_vsock.broken_told = worked = true;
        connections_end(BM_ECONNRESET);
    }
    return expire() || worked;
}

static bool vsock_arm(void *arg)
{
    (void)arg;
    if (bm_vsock.device->broken)
        return !bm_vsock.broken_told;
    bm_vsock_lock();
    bool waits = bm_vsock.sends_wanted || bm_vsock.owing || !bm_vsock.controls_free || bm_vsock.finishing;
    bool work = waits && bm_virtqueue_arm(&bm_vsock.send, 1);
    bm_vsock_unlock();
    if (bm_vsock.controls_free) // else what comes waits for what goes
        work |= bm_virtqueue_arm(&bm_vsock.receive, 1);
    return work | bm_virtqueue_arm(&bm_vsock.event, 1);
}

static uint64_t vsock_deadline(void *arg)
{
    (void)arg;
    uint64_t first = __atomic_load_n(&bm_vsock.deadline, __ATOMIC_RELAXED);
    if (bm_vsock.device->interrupts || bm_vsock.device->broken)
        return first;
    uint64_t look = bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
    return look < first ? look : first;
}

// --- The device ---

static int buffers_make(void)
{
    for (unsigned i = 0; i < VSOCK_RECEIVES; i++) {
        void *page = bm_frame_allocate(0);
        if (!page)
            return -BM_ENOMEM;
        page_give(&bm_vsock.receive, page, BM_PAGE_SIZE);
    }
    for (unsigned i = 0; i < VSOCK_SENDS; i++) {
        struct vsock_send *send = &bm_vsock.sends[i];
        send->page = bm_frame_allocate(0);
        if (!send->page)
            return -BM_ENOMEM;
        send->next = bm_vsock.sends_free;
        bm_vsock.sends_free = send;
    }
    unsigned char *page = bm_frame_allocate(0);
    if (!page)
        return -BM_ENOMEM;
    bm_vsock.controls = (struct vsock_header *)page;
    for (unsigned i = 0; i < EVENTS; i++)
        page_give(&bm_vsock.event, page + EVENTS_AT + i * sizeof(uint32_t), sizeof(uint32_t));
    return 0;
}

// Packets with bytes always find a place in the queue; those without share the rest.
static int queues_make(struct bm_virtio_device *device)
{
    int error = bm_virtqueue_create(&bm_vsock.receive, device, VSOCK_QUEUE_RECEIVE, VSOCK_RECEIVES);
    if (!error)
        error = bm_virtqueue_create(&bm_vsock.send, device, VSOCK_QUEUE_SEND, SEND_QUEUE);
    if (!error)
        error = bm_virtqueue_create(&bm_vsock.event, device, VSOCK_QUEUE_EVENT, EVENTS);
    if (!error && bm_vsock.send.size < 2 * VSOCK_SENDS)
        error = -BM_EIO;
    if (error)
        return error;
    unsigned left = bm_vsock.send.size - VSOCK_SENDS;
    bm_vsock.controls_free = left < VSOCK_CONTROLS ? (1ull << left) - 1 : UINT64_MAX;
    return buffers_make();
}

static int vsock_start(struct bm_virtio_device *device)
{
    uint64_t offered;
    int error = bm_virtio_begin(device, &offered);
    if (!error)
        error = bm_virtio_negotiate(device, F_STREAM);
    if (error)
        return error;
    bm_virtio_interrupt_start(device, 3);
    uint32_t cid = cid_of(device);
    error = cid ? queues_make(device) : -BM_EIO;
    if (error) {
        bm_virtio_fail(device, !cid                  ? "says no CID that a machine can have"
                               : error == -BM_ENOMEM ? "cannot be used: out of memory"
                                                     : "has no usable queues");
        return error;
    }
    atomic_store(&bm_vsock.cid, cid);
    bm_virtio_ready(device);
    bm_virtqueue_kick(&bm_vsock.receive);
    bm_virtqueue_kick(&bm_vsock.event);
    bm_log_info(device->device.name, "CID %u", cid);
    return 0;
}

static int vsock_attach(struct bm_device *device)
{
    if (bm_vsock.device)
        return -BM_ENODEV; // a machine has one CID
    bm_vsock.deadline = UINT64_MAX;
    int error = vsock_start(bm_virtio_device_of(device));
    if (error)
        return error;
    bm_vsock.poller = (struct bm_poller){
        .name = "virtio_vsock", .poll = vsock_poll, .arm = vsock_arm, .deadline = vsock_deadline};
    bm_vsock.device = bm_virtio_device_of(device);
    bm_poller_add(&bm_vsock.poller);
    return 0;
}

static const struct bm_device_id vsock_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_VSOCK},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_vsock) = {.name = "virtio_vsock", .ids = vsock_ids, .attach = vsock_attach};
