// Frames to send: gathered from lwIP's buffers, kept in order while the device is full, one doorbell.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../lwip/memory.h"
#include "checksum.h"
#include "device.h"
#include "hooks.h"
#include "interface.h"

#include <baremetal/compiler.h>
#include <baremetal/error.h>

#include "arch/bm_assert.h"
#include "lwip/pbuf.h"

_Static_assert(PBUF_LINK_ENCAPSULATION_HLEN >= BM_NETDEV_HEADROOM + 4,
               "what lwIP makes for sending has room for a driver's header and a VLAN's tag");

enum { TCP_HEADER = 20, SEGMENT_CHECKSUM_START = 14 + 20, SEGMENT_CHECKSUM_OFFSET = 16 };

// Whether the driver may write in front of the frame: the room is this buffer's own.
static bool has_headroom(const struct pbuf *frame)
{
    size_t front = (size_t)((const char *)frame->payload - (const char *)frame);
    if (frame->flags & PBUF_FLAG_IS_CUSTOM)
        return ((const struct pbuf_custom *)(const void *)frame)->custom_free_function ==
                   bm_net_received_free &&
               front >= sizeof(struct bm_packet) + BM_NETDEV_HEADROOM;
    return frame->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS &&
           front >= sizeof *frame + BM_NETDEV_HEADROOM;
}

// Whether the device may read the frame's buffers later: they are few enough, and none belongs to a caller
// who gets it back when the call returns (sendto). Received buffers are the stack's own.
static bool can_be_held(const struct pbuf *frame)
{
    unsigned count = 0;
    if (!has_headroom(frame))
        return false;
    for (; frame; frame = frame->next)
        if (++count > BM_NETDEV_SEGMENTS_MAX ||
            (PBUF_NEEDS_COPY(frame) && !(frame->flags & PBUF_FLAG_IS_CUSTOM)))
            return false;
    return true;
}

static struct bm_net_joined *joined_of(void *frame)
{
    return (uintptr_t)frame & JOINED_TAG ? (struct bm_net_joined *)((char *)frame - JOINED_TAG) : NULL;
}

// Seldom: the code is to be small.
static BM_COLD void joined_free(struct bm_net_joined *joined)
{
    for (unsigned i = 0; i < joined->count; i++)
        pbuf_free(joined->segments[i]);
    bm_net_free(joined);
}

static inline void frame_free(void *frame)
{
    struct bm_net_joined *joined = joined_of(frame);
    if (joined)
        joined_free(joined);
    else
        pbuf_free(frame);
}

// Hands a frame to the device, which then holds the caller's reference.
static int frame_send(struct bm_net_interface *interface, void *cookie)
{
    struct bm_netdev *device = interface->device;
    struct bm_netdev_segment pieces[BM_NETDEV_SEGMENTS_MAX];
    struct bm_netdev_frame frame = {.segments = pieces, .cookie = cookie};
    struct pbuf *single = cookie, *const *segments = &single;
    const struct bm_net_joined *joined = joined_of(cookie);
    unsigned left = 1, count = 0, skip = 0;
    if (joined) {
        segments = joined->segments;
        left = joined->count;
        frame.gso_size = joined->payload;
        frame.header_length = joined->header;
        frame.gso_type = joined->is_ip6 ? BM_NETDEV_GSO_TCP6 : BM_NETDEV_GSO_TCP4;
    }
    if (device->capabilities & BM_NETDEV_CHECKSUM_TX)
        bm_net_checksum_prepare(segments[0]->payload, segments[0]->len, &frame.checksum_start,
                                &frame.checksum_offset);
    do { // all of the first segment, the others without their headers
        for (const struct pbuf *piece = *segments; piece; piece = piece->next) {
            BM_ASSERT_HERE(count < BM_NETDEV_SEGMENTS_MAX, "a frame has no more pieces than a device takes");
            if (piece->len > skip)
                pieces[count++] = (struct bm_netdev_segment){(const char *)piece->payload + skip,
                                                             (uint32_t)piece->len - skip};
            skip = piece->len < skip ? skip - piece->len : 0;
        }
        skip = TCP_HEADER;
        segments++;
    } while (--left);
    frame.segment_count = count;
    BM_ASSERT_HERE(joined || has_headroom(single), "a driver may write in front of a frame");
    int result = count ? interface->netqueue->ops->send(interface->netqueue, &frame) : -BM_EINVAL;
    if (result == 0)
        interface->unflushed = true;
    return result;
}

static BM_COLD err_t frame_wait(struct bm_net_interface *interface, void *frame)
{
    if (interface->waiting == INTERFACE_QUEUE_MAX) {
        frame_free(frame);
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

err_t bm_net_frame_output(struct bm_net_interface *interface, void *frame)
{
    BM_NET_ASSERT_LOCKED();
    if (BM_UNLIKELY(interface->waiting))
        return frame_wait(interface, frame);
    int result = frame_send(interface, frame);
    if (BM_LIKELY(result == 0))
        return ERR_OK;
    if (result == -BM_EAGAIN)
        return frame_wait(interface, frame);
    frame_free(frame);
    return ERR_IF;
}

err_t bm_net_buffer_output(struct bm_net_interface *interface, struct pbuf *frame)
{
    BM_NET_ASSERT_LOCKED();
    if (can_be_held(frame)) {
        pbuf_ref(frame);
    } else {
        frame = pbuf_clone(PBUF_RAW_TX, PBUF_RAM, frame);
        if (!frame)
            return ERR_MEM;
    }
    return bm_net_frame_output(interface, frame);
}

err_t bm_net_link_output(struct netif *netif, struct pbuf *frame)
{
    BM_NET_ASSERT_LOCKED();
    struct bm_net_interface *interface = netif->state;
    if (BM_UNLIKELY(frame == bm_net_join_first) && bm_net_join(interface, frame))
        return ERR_OK;
    return bm_net_buffer_output(interface, frame);
}

BM_HOT err_t bm_net_segment_output(struct netif *netif, struct pbuf *frame)
{
    struct bm_net_interface *interface = netif->state;
    struct bm_netqueue *queue = interface->netqueue;
    struct bm_netdev_segment piece = {frame->payload, frame->len};
    struct bm_netdev_frame out = {.segments = &piece,
                                  .segment_count = 1,
                                  .checksum_start = SEGMENT_CHECKSUM_START,
                                  .checksum_offset = SEGMENT_CHECKSUM_OFFSET,
                                  .cookie = frame};
    BM_NET_ASSERT_LOCKED();
    if (frame->next)
        return bm_net_link_output(netif, frame);
    pbuf_ref(frame);
    // A frame that cannot go now, or never, takes the way of all others.
    if (BM_UNLIKELY(interface->waiting || queue->ops->send(queue, &out) != 0))
        return bm_net_frame_output(interface, frame);
    interface->unflushed = true;
    return ERR_OK;
}

// Freeing a buffer needs no core lock: its count is guarded by the short lock, its memory by memory.c's or
// the packet pool's.
BM_HOT void bm_net_sent(struct bm_netqueue *queue, void *cookie)
{
    struct bm_net_interface *interface = queue->stack_state;
    frame_free(cookie);
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

static BM_COLD void queue_send(struct bm_net_interface *interface)
{
    while (interface->waiting) {
        void *frame = interface->queue[interface->first];
        int result = frame_send(interface, frame);
        if (result == -BM_EAGAIN)
            return;
        if (result != 0)
            frame_free(frame);
        interface->first = (interface->first + 1) % INTERFACE_QUEUE_MAX;
        interface->waiting--;
    }
}

bool bm_net_interface_retry(void)
{
    BM_NET_ASSERT_LOCKED();
    bool worked = false;
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        if (atomic_exchange_explicit(&interface->room, false, memory_order_acq_rel)) {
            queue_send(interface);
            if (interface->waiting <= INTERFACE_QUEUE_FULL / 2)
                bm_net_room(interface);
            worked = true;
        }
    }
    return worked;
}

bool bm_net_flushed;

void bm_net_interface_flush(void)
{
    BM_NET_ASSERT_LOCKED();
    bm_net_flushed = true;
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        if (interface->unflushed) {
            interface->unflushed = false;
            interface->netqueue->ops->flush(interface->netqueue);
        }
    }
}
