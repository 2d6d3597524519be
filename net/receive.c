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

static struct pbuf *pbuf_copy_of(struct bm_packet *packet)
{
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
    return packet->length > ETHERNET_HEADER && packet->data >= start + sizeof *packet &&
           packet->data + packet->length <= start + BM_PACKET_SIZE;
}

static void packet_input(struct bm_net_interface *interface, struct bm_packet *packet)
{
    if (!packet_is_sane(packet)) {
        bm_packet_free(packet);
        return;
    }
    checks_set(&interface->netif, packet);
    bool keep = atomic_load_explicit(&interface->held, memory_order_relaxed) < INTERFACE_HELD_MAX;
    struct pbuf *pbuf = keep ? pbuf_around(interface, packet) : pbuf_copy_of(packet);
    if (pbuf && ethernet_input(pbuf, &interface->netif) != ERR_OK)
        pbuf_free(pbuf);
}

void bm_net_input(struct bm_netdev *device, struct bm_packet *batch)
{
    bm_net_lock();
    while (batch) {
        struct bm_packet *packet = batch;
        batch = packet->next;
        packet_input(device->stack_state, packet);
    }
    bm_net_unlock();
}
