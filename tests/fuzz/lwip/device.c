// The device, and what is looked at in each frame that it is given.
// SPDX-License-Identifier: MIT
#include "../../../net/device/device.h"
#include "../../../net/device/interface.h"
#include "machine.h"
#include "neighbours.h"

#include <baremetal/error.h>
#include <string.h>

#include "lwip/inet_chksum.h"

enum { HELD_MAX = 64, FRAME_MAX = 70000, ETHERNET = 14, TAG = 4 };

bool device_small, device_holds;
uint64_t frames_sent;
static struct bm_netdev device;
static struct bm_netqueue queue;
static void *held[HELD_MAX];
static unsigned held_count;

static unsigned get16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void look_ip4(const uint8_t *ip, unsigned length, bool cut_up)
{
    unsigned header = (ip[0] & 15u) * 4;
    if (length < 20 || header < 20 || header > length || ip[0] >> 4 != 4)
        fail("an IPv4 header goes out that is none");
    if (!cut_up && get16(ip + 2) != length)
        fail("an IPv4 packet goes out whose length is not the frame's");
    if (!cut_up && inet_chksum(ip, (u16_t)header) != 0)
        fail("an IPv4 header goes out with a wrong sum");
}

static void look_ip6(const uint8_t *ip, unsigned length, bool cut_up)
{
    if (length < 40 || ip[0] >> 4 != 6)
        fail("an IPv6 header goes out that is none");
    if (!cut_up && get16(ip + 4) + 40u != length)
        fail("an IPv6 packet goes out whose length is not the frame's");
}

static void look(const uint8_t *bytes, unsigned length, bool cut_up)
{
    unsigned type = length < ETHERNET + TAG ? 0 : get16(bytes + 12);
    if (!cut_up && length > ETHERNET + TAG + device.mtu)
        fail("a frame goes out that is longer than the device takes");
    if (type == 0x8100) { // the neighbours see it without
        static uint8_t untagged[FRAME_MAX];
        memcpy(untagged, bytes, 12);
        memcpy(untagged + 12, bytes + 12 + TAG, length - 12 - TAG);
        look(untagged, length - TAG, cut_up);
        return;
    }
    if (type == 0x0800)
        look_ip4(bytes + ETHERNET, length - ETHERNET, cut_up);
    else if (type == 0x86dd)
        look_ip6(bytes + ETHERNET, length - ETHERNET, cut_up);
    else if (type != 0x0806)
        fail("a frame goes out of a kind that nobody asked for");
    if (!cut_up)
        neighbours_see(bytes, length);
}

static int send(struct bm_netqueue *self, const struct bm_netdev_frame *frame)
{
    static uint8_t bytes[FRAME_MAX];
    unsigned length = 0;
    (void)self;
    if (held_count >= (device_small ? 1 : HELD_MAX))
        return -BM_EAGAIN;
    if (frame->segment_count == 0 || frame->segment_count > BM_NETDEV_SEGMENTS_MAX)
        fail("a frame goes out in more pieces than a driver takes");
    for (unsigned i = 0; i < frame->segment_count; i++) {
        const struct bm_netdev_segment *piece = &frame->segments[i];
        if (length + piece->length > sizeof bytes)
            fail("a frame goes out that is longer than any");
        memcpy(bytes + length, piece->data, piece->length);
        length += piece->length;
    }
    memset((char *)(uintptr_t)frame->segments[0].data - BM_NETDEV_HEADROOM, 0x5a, BM_NETDEV_HEADROOM);
    look(bytes, length, frame->gso_size != 0);
    frames_sent++;
    held[held_count++] = frame->cookie;
    return 0;
}

// Outside of the call that sends, as drivers do it.
void device_done(void)
{
    while (held_count)
        bm_net_sent(&queue, held[--held_count]);
}

static void flush(struct bm_netqueue *self)
{
    (void)self;
}

void device_link(bool up)
{
    device.link_up = up;
    queue.stack->link_changed(&queue);
}

void device_input(struct bm_packet *packets)
{
    queue.stack->input(&queue, packets);
}

struct bm_netdev *bm_netdev_first(void)
{
    return &device;
}

int bm_netdev_start(struct bm_netdev *self, unsigned wanted)
{
    (void)wanted;
    return self->queue_count;
}

int bm_netqueue_take(struct bm_netqueue *self, const struct bm_netdev_stack *stack, void *state)
{
    self->stack = stack;
    self->stack_state = state;
    return 0;
}

void device_start(unsigned capabilities, unsigned mtu)
{
    static const struct bm_netdev_ops ops = {.send = send, .flush = flush};
    device = (struct bm_netdev){.driver = "fuzz",
                                .mtu = (uint16_t)mtu,
                                .capabilities = capabilities,
                                .link_up = true,
                                .queue_count = 1,
                                .ops = &ops,
                                .queues = &queue};
    queue = (struct bm_netqueue){.device = &device, .ops = &ops};
    memcpy(device.mac, machine_mac, sizeof device.mac);
    device_small = device_holds = false;
    held_count = 0;
}
