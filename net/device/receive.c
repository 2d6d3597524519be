// Received frames: from the driver's buffers into lwIP without a copy.
// SPDX-License-Identifier: MIT
// @optimize size
#include "device.h"
#include "hooks.h"
#include "interface.h"

#include <baremetal/compiler.h>
#include <string.h>

#include "lwip/ip.h"
#include "lwip/pbuf.h"
#include "lwip/prot/ethernet.h"
#include "netif/ethernet.h"

enum {
    ETHERNET_HEADER = 14,
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
    IP_TCP = 6,
    IP_UDP = 17,
    IP4_FRAGMENT = 0x3fff,
    LOOPBACK = 127
};

// lwIP's buffer lies in the packet's private area, which is the packet's first member.
_Static_assert(sizeof(struct pbuf_custom) <= BM_PACKET_PRIVATE &&
                   offsetof(struct bm_packet, private_area) == 0,
               "lwIP's buffer fits into the packet's private area");

BM_HOT void bm_net_received_free(struct pbuf *frame)
{
    bm_packet_free((struct bm_packet *)(void *)frame);
}

// What pbuf_alloced_custom makes.
static inline struct pbuf *pbuf_around(struct bm_packet *packet)
{
    struct pbuf_custom *custom = (struct pbuf_custom *)(void *)packet->private_area;
    struct pbuf *pbuf = &custom->pbuf; // one by one: a compiler that saves bytes would clear it first
    pbuf->next = NULL;
    pbuf->payload = packet->data;
    pbuf->tot_len = pbuf->len = packet->length;
    pbuf->type_internal = (u8_t)PBUF_REF;
    pbuf->flags = PBUF_FLAG_IS_CUSTOM;
    pbuf->ref = 1;
    pbuf->if_idx = NETIF_NO_INDEX;
    custom->custom_free_function = bm_net_received_free;
    return pbuf;
}

static BM_COLD struct pbuf *pbuf_copy_of(struct bm_packet *packet)
{
    struct pbuf *pbuf = pbuf_alloc(PBUF_RAW, packet->length, PBUF_RAM);
    if (pbuf)
        MEMCPY(pbuf->payload, packet->data, packet->length);
    bm_packet_free(packet);
    return pbuf;
}

// lwIP's buffer of a packet; NULL when memory is short.
static inline __attribute__((always_inline)) struct pbuf *pbuf_of(struct bm_packet *packet, bool scarce)
{
    return BM_UNLIKELY(scarce) ? pbuf_copy_of(packet) : pbuf_around(packet);
}

// The device vouches for whole packets only: the checksum of one that comes in fragments is verified in
// software.
static bool is_fragment(const unsigned char *frame, unsigned length)
{
    if (length < ETHERNET_HEADER + 8)
        return true;
    unsigned type = (unsigned)frame[12] << 8 | frame[13];
    if (type == TYPE_IP4)
        return (((unsigned)frame[20] << 8 | frame[21]) & IP4_FRAGMENT) != 0;
    return type != TYPE_IP6 || (frame[20] != IP_TCP && frame[20] != IP_UDP); // other headers may hide one
}

// lwIP asks per interface whether to verify; frames are processed one at a time under the core lock, so it
// can differ per frame.
static void checks_set(struct netif *netif, const struct pbuf *frame, bool good)
{
    const u16_t transport = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
    u16_t flags = netif->chksum_flags | NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_ICMP |
                  NETIF_CHECKSUM_CHECK_ICMP6 | transport;
    if (good && !is_fragment(frame->payload, frame->len))
        flags &= (u16_t)~transport;
    netif->chksum_flags = flags;
}

static inline bool packet_is_sane(const struct bm_packet *packet)
{
    const unsigned char *start = (const unsigned char *)packet;
    return packet->length && packet->data >= start + sizeof *packet &&
           packet->data + packet->length <= start + BM_PACKET_SIZE;
}

// Takes a frame of several packets off the batch and returns it as a chain of lwIP's buffers: NULL when it is
// none, when it is more than lwIP can say, or when memory is short.
static BM_COLD struct pbuf *chain_of(struct bm_packet **batch, bool scarce)
{
    struct bm_packet *packet = *batch, *end = packet;
    struct pbuf *frame = NULL, **link = &frame;
    uint32_t left = 0;
    bool more, whole = true;
    do {
        whole &= packet_is_sane(end);
        left += end->length;
        more = end->flags & BM_PACKET_MORE;
        end = end->next;
    } while (more && end);
    *batch = end;
    whole &= !more && left <= UINT16_MAX;
    while (packet != end) {
        struct bm_packet *next = packet->next;
        struct pbuf *pbuf = NULL;
        if (whole)
            pbuf = pbuf_of(packet, scarce);
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
    if (frame && !whole) {
        pbuf_free(frame);
        frame = NULL;
    }
    return frame;
}

// Takes a frame off the batch and returns it as lwIP's buffer; NULL: none.
static inline struct pbuf *frame_take(struct bm_packet **batch, bool scarce)
{
    struct bm_packet *packet = *batch;
    if (BM_UNLIKELY(packet->flags & BM_PACKET_MORE))
        return chain_of(batch, scarce);
    *batch = packet->next;
    if (BM_LIKELY(packet_is_sane(packet)))
        return pbuf_of(packet, scarce);
    bm_packet_free(packet);
    return NULL;
}

static bool is_own4(const u8_t *address)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        if (memcmp(address, netif_ip4_addr(&bm_net_interfaces[i]->netif), 4) == 0)
            return true;
    return false;
}

static bool is_own6(const u8_t *address)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        const struct netif *netif = &bm_net_interfaces[i]->netif;
        for (s8_t k = 0; k < LWIP_IPV6_NUM_ADDRESSES; k++)
            if (ip6_addr_isvalid(netif_ip6_addr_state(netif, k)) &&
                memcmp(address, netif_ip6_addr(netif, k)->addr, 16) == 0)
                return true;
    }
    return false;
}

// Whether a packet from the wire claims to be the machine's own, by any of its addresses: the answer would go
// to the machine, and on for ever when that is answered, too (RFC 1122 section 3.2.1.3, RFC 4291 section
// 2.5.3). Neighbours with its IPv6 address are lwIP's business (RFC 4862 section 5.4).
static bool is_from_here(const struct pbuf *frame)
{
    static const u8_t loopback6[16] = {[15] = 1};
    const struct eth_hdr *header = frame->payload;
    const u8_t *ip = (const u8_t *)frame->payload + SIZEOF_ETH_HDR;
    if (header->type == PP_HTONS(ETHTYPE_IP) && frame->len >= SIZEOF_ETH_HDR + IP_HLEN)
        return ip[12] == LOOPBACK || (ip[12] && is_own4(ip + 12));
    if (header->type == PP_HTONS(ETHTYPE_IPV6) && frame->len >= SIZEOF_ETH_HDR + IP6_HLEN)
        return memcmp(ip + 8, loopback6, 16) == 0 || (ip[6] != IP6_NEXTH_ICMP6 && is_own6(ip + 8));
    return false;
}

// lwIP's way. An interface that is not up takes nothing: lwIP would find other interfaces' addresses for it.
static void frame_input(struct bm_net_interface *interface, struct pbuf *frame, bool good)
{
    const struct eth_hdr *header = frame->payload;
    if (frame->len > SIZEOF_ETH_HDR && header->type == PP_HTONS(ETHTYPE_VLAN))
        interface = bm_net_vlan_input(interface, frame);
    if (!interface || !netif_is_up(&interface->netif) || is_from_here(frame)) {
        pbuf_free(frame);
        return;
    }
    checks_set(&interface->netif, frame, good);
    if (ethernet_input(frame, &interface->netif) != ERR_OK)
        pbuf_free(frame);
}

BM_HOT void bm_net_input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    struct bm_net_interface *interface = queue->stack_state;
    bool scarce = bm_packet_pool_scarce(batch->pool); // a batch more does not matter
    bm_net_lock();
    while (batch) {
        bool good = batch->flags & BM_PACKET_CHECKSUM_GOOD;
        struct pbuf *frame = frame_take(&batch, scarce);
        if (!frame)
            continue;
        if (!good || !bm_net_express_input(&interface->netif, frame))
            frame_input(interface, frame, good);
    }
    bm_net_unlock();
}
