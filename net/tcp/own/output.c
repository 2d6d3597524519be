// Frames of the engine to IP.
// SPDX-License-Identifier: MIT
//
// A frame's data is copied: devices give buffers back without the core lock, which the engine's pieces need.
#include "own.h"

#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/prot/tcp.h"

enum { ECT_0 = 2 }; // RFC 3168 section 5

static struct pbuf *pbuf_of(const struct bm_tcp_frame *frame)
{
    struct pbuf *buffer = pbuf_alloc(PBUF_IP, (u16_t)(frame->header_size + frame->length), PBUF_RAM);
    if (!buffer)
        return NULL;
    u8_t *to = buffer->payload;
    memcpy(to, frame->header, frame->header_size);
    to += frame->header_size;
    for (unsigned i = 0; i < frame->count; i++) {
        MEMCPY(to, frame->pieces[i].data, frame->pieces[i].length);
        to += frame->pieces[i].length;
    }
    return buffer;
}

// The block of what a frame belongs to, for what IP's header takes from it; NULL: there is none (any more).
static const struct ip_pcb *block_of(const struct bm_tcp_frame *frame)
{
    if (frame->connection)
        return bm_tcp_user(frame->connection);
    return frame->listener ? frame->listener->user : NULL;
}

void own_output(void *context, const struct bm_tcp_frame *frame)
{
    (void)context;
    BM_NET_ASSERT_LOCKED();
    ip_addr_t local, remote;
    own_address_get(&local, frame->tuple->local, frame->tuple->zone);
    own_address_get(&remote, frame->tuple->remote, frame->tuple->zone);
    const struct ip_pcb *block = block_of(frame);
    u8_t hops = block ? block->ttl : TCP_TTL, service = block ? block->tos : 0;
    if (frame->ecn_capable)
        service = (u8_t)((service & ~3) | ECT_0);
    struct netif *netif =
        frame->interface ? netif_get_by_index((u8_t)frame->interface) : ip_route(&local, &remote);
    struct pbuf *buffer = netif ? pbuf_of(frame) : NULL;
    if (!buffer) // as if it were lost on its way
        return;
    if (netif->chksum_flags & NETIF_CHECKSUM_GEN_TCP) {
        struct tcp_hdr *header = buffer->payload;
        header->chksum = ip_chksum_pseudo(buffer, IP_PROTO_TCP, buffer->tot_len, &local, &remote);
    }
    ip_output_if(buffer, &local, &remote, hops, service, IP_PROTO_TCP, netif);
    pbuf_free(buffer);
}
