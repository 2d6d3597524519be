// Received frames: from the driver's buffers into lwIP without a copy.
// SPDX-License-Identifier: MIT
#include "interface.h"
#include "net.h"

#include <string.h>

#include "lwip/pbuf.h"
#include "netif/ethernet.h"

enum { ETHERNET_HEADER = 14, TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, IP6_FRAGMENT = 44, IP4_FRAGMENT = 0x3fff };

// lwIP's buffer lies in the packet's private area.
struct received {
    struct pbuf_custom pbuf;
    struct bm_net_interface *interface;
};
_Static_assert(sizeof(struct received) <= BM_PACKET_PRIVATE,
               "lwIP's buffer fits into the packet's private area");

static void received_free(struct pbuf *pbuf)
{
    struct received *received = (struct received *)pbuf;
    atomic_fetch_sub_explicit(&received->interface->held, 1, memory_order_relaxed);
    bm_packet_free((struct bm_packet *)(void *)received); // private_area is its first member
}

static struct pbuf *pbuf_around(struct bm_net_interface *interface, struct bm_packet *packet)
{
    struct received *received = (struct received *)(void *)packet->private_area;
    received->pbuf.custom_free_function = received_free;
    received->interface = interface;
    atomic_fetch_add_explicit(&interface->held, 1, memory_order_relaxed);
    return pbuf_alloced_custom(PBUF_RAW, packet->length, PBUF_REF, &received->pbuf, packet->data,
                               packet->length);
}

static struct pbuf *pbuf_of(struct bm_net_interface *interface, struct bm_packet *packet)
{
    if (atomic_load_explicit(&interface->held, memory_order_relaxed) < INTERFACE_HELD_MAX)
        return pbuf_around(interface, packet);
    struct pbuf *pbuf = pbuf_alloc(PBUF_RAW, packet->length, PBUF_RAM);
    if (pbuf)
        memcpy(pbuf->payload, packet->data, packet->length);
    bm_packet_free(packet);
    return pbuf;
}

// The device vouches for whole packets only: the checksum of one that comes in fragments is verified in
// software.
static bool is_fragment(const unsigned char *frame, unsigned length)
{
    unsigned type = (unsigned)frame[12] << 8 | frame[13];
    if (type == TYPE_IP4)
        return length < ETHERNET_HEADER + 8 || ((((unsigned)frame[20] << 8 | frame[21]) & IP4_FRAGMENT) != 0);
    return type != TYPE_IP6 || length < ETHERNET_HEADER + 7 || frame[20] == IP6_FRAGMENT;
}

// lwIP asks per interface whether to verify; frames are processed one at a time under the core lock, so it
// can differ per frame.
static void checks_set(struct netif *netif, const struct bm_packet *packet)
{
    const u16_t transport = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
    u16_t flags = netif->chksum_flags | NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_ICMP |
                  NETIF_CHECKSUM_CHECK_ICMP6 | transport;
    if ((packet->flags & BM_PACKET_CHECKSUM_GOOD) && !is_fragment(packet->data, packet->length))
        flags &= (u16_t)~transport;
    netif->chksum_flags = flags;
}

static bool packet_is_sane(const struct bm_packet *packet)
{
    const unsigned char *start = (const unsigned char *)packet;
    return packet->length && packet->data >= start + sizeof *packet &&
           packet->data + packet->length <= start + BM_PACKET_SIZE;
}

// The frame's bytes; 0 for one that is none, or is more than lwIP can say. Sets *end to the first packet
// behind it.
static uint32_t frame_length(const struct bm_packet *packet, struct bm_packet **end)
{
    bool sane = packet->length > ETHERNET_HEADER, more;
    uint32_t length = 0;
    do {
        sane &= packet_is_sane(packet);
        length += packet->length;
        more = packet->flags & BM_PACKET_MORE && packet->next;
        *end = packet->next;
        packet = packet->next;
    } while (more);
    return sane && length <= UINT16_MAX ? length : 0;
}

// Takes the frame that starts with the packet; returns the packet behind it.
static struct bm_packet *frame_input(struct bm_net_interface *interface, struct bm_packet *packet)
{
    struct bm_packet *end;
    struct pbuf *frame = NULL, **link = &frame;
    uint32_t left = frame_length(packet, &end);
    bool whole = left != 0;
    if (whole)
        checks_set(&interface->netif, packet);
    while (packet != end) {
        struct bm_packet *next = packet->next;
        struct pbuf *pbuf = NULL;
        if (whole)
            pbuf = pbuf_of(interface, packet);
        else
            bm_packet_free(packet);
        packet = next;
        whole = pbuf != NULL;
        if (!whole)
            continue;
        pbuf->tot_len = (u16_t)left;
        left -= pbuf->len;
        *link = pbuf;
        link = &pbuf->next;
    }
    if (frame && (!whole || ethernet_input(frame, &interface->netif) != ERR_OK))
        pbuf_free(frame);
    return end;
}

void bm_net_input(struct bm_netdev *device, struct bm_packet *batch)
{
    bm_net_lock();
    while (batch)
        batch = frame_input(device->stack_state, batch);
    bm_net_unlock();
}
