// Frames to send: gathered from lwIP's buffers, kept in order while the device is full, one doorbell.
// SPDX-License-Identifier: MIT
#include "checksum.h"
#include "interface.h"
#include "net.h"

#include <baremetal/error.h>

#include "lwip/pbuf.h"

// Whether the device may read the frame's buffers later: they are few enough, and none belongs to a caller
// who gets it back when the call returns (sendto). Received buffers are the stack's own.
static bool can_be_held(const struct pbuf *frame)
{
    unsigned count = 0;
    for (; frame; frame = frame->next)
        if (++count > BM_NETDEV_SEGMENTS_MAX ||
            (PBUF_NEEDS_COPY(frame) && !(frame->flags & PBUF_FLAG_IS_CUSTOM)))
            return false;
    return true;
}

static unsigned segments_of(const struct pbuf *frame,
                            struct bm_netdev_segment segments[BM_NETDEV_SEGMENTS_MAX])
{
    unsigned count = 0;
    for (; frame; frame = frame->next) {
        if (frame->len == 0)
            continue;
        segments[count++] = (struct bm_netdev_segment){frame->payload, frame->len};
    }
    return count;
}

// Hands a frame to the device, which then holds the caller's reference.
static int frame_send(struct bm_net_interface *interface, struct pbuf *pbuf)
{
    struct bm_netdev *device = interface->device;
    struct bm_netdev_segment segments[BM_NETDEV_SEGMENTS_MAX];
    struct bm_netdev_frame frame = {.segments = segments, .cookie = pbuf};
    frame.segment_count = segments_of(pbuf, segments);
    if (frame.segment_count == 0)
        return -BM_EINVAL;
    if (device->capabilities & BM_NETDEV_CHECKSUM_TX)
        bm_net_checksum_prepare(pbuf->payload, pbuf->len, &frame.checksum_start, &frame.checksum_offset);
    int result = device->ops->send(device, &frame);
    if (result == 0)
        interface->unflushed = true;
    return result;
}

static err_t frame_wait(struct bm_net_interface *interface, struct pbuf *frame)
{
    if (interface->waiting == INTERFACE_QUEUE_MAX) {
        pbuf_free(frame);
        return ERR_MEM;
    }
    interface->queue[(interface->first + interface->waiting) % INTERFACE_QUEUE_MAX] = frame;
    // Another core may have been told of the last sent frame after the device's refusal, and have seen
    // nothing wait: have the poller look once. Later cores see it: the device's lock, which both take, orders
    // them.
    if (interface->waiting++ == 0)
        atomic_store_explicit(&interface->room, true, memory_order_release);
    return ERR_OK;
}

err_t bm_net_link_output(struct netif *netif, struct pbuf *frame)
{
    struct bm_net_interface *interface = netif->state;
    if (can_be_held(frame)) {
        pbuf_ref(frame);
    } else {
        frame = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
        if (!frame)
            return ERR_MEM;
    }
    if (interface->waiting)
        return frame_wait(interface, frame);
    int result = frame_send(interface, frame);
    if (result == 0)
        return ERR_OK;
    if (result == -BM_EAGAIN)
        return frame_wait(interface, frame);
    pbuf_free(frame);
    return ERR_IF;
}

// Freeing a buffer needs no core lock: its count is guarded by the short lock, its memory by memory.c's or
// the packet pool's.
void bm_net_sent(struct bm_netdev *device, void *cookie)
{
    struct bm_net_interface *interface = device->stack_state;
    pbuf_free(cookie);
    if (interface->waiting)
        atomic_store_explicit(&interface->room, true, memory_order_release);
}

bool bm_net_interface_work(void)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        if (atomic_load_explicit(&bm_net_interfaces[i]->room, memory_order_acquire))
            return true;
    return false;
}

static void queue_send(struct bm_net_interface *interface)
{
    while (interface->waiting) {
        struct pbuf *frame = interface->queue[interface->first];
        int result = frame_send(interface, frame);
        if (result == -BM_EAGAIN)
            return;
        if (result != 0)
            pbuf_free(frame);
        interface->first = (interface->first + 1) % INTERFACE_QUEUE_MAX;
        interface->waiting--;
    }
}

bool bm_net_interface_retry(void)
{
    bool worked = false;
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        if (atomic_exchange_explicit(&interface->room, false, memory_order_acq_rel)) {
            queue_send(interface);
            worked = true;
        }
    }
    return worked;
}

void bm_net_interface_flush(void)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        if (interface->unflushed) {
            interface->unflushed = false;
            interface->device->ops->flush(interface->device);
        }
    }
}
