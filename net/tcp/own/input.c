// Segments from IP to the engine.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/prot/tcp.h"

enum { CE = 3 }; // RFC 3168 section 5

static bool congestion_experienced(void)
{
    if (ip_current_is_v6())
        return (IP6H_TC(ip6_current_header()) & 3) == CE;
    return (IPH_TOS(ip4_current_header()) & 3) == CE;
}

// RFC 9293 section 3.9.2.3; the checksum where no device vouches for it.
static bool is_acceptable(const struct pbuf *packet, const struct netif *netif)
{
    if (packet->flags & (PBUF_FLAG_LLBCAST | PBUF_FLAG_LLMCAST) ||
        ip_addr_isbroadcast(ip_current_dest_addr(), ip_current_netif()) ||
        ip_addr_ismulticast(ip_current_dest_addr()))
        return false;
    return !(netif->chksum_flags & NETIF_CHECKSUM_CHECK_TCP) ||
           ip_chksum_pseudo((struct pbuf *)(uintptr_t)packet, IP_PROTO_TCP, packet->tot_len,
                            ip_current_src_addr(), ip_current_dest_addr()) == 0;
}

void tcp_input(struct pbuf *packet, struct netif *netif)
{
    BM_NET_ASSERT_LOCKED();
    if (packet->len < TCP_HLEN || !is_acceptable(packet, netif)) {
        pbuf_free(packet);
        return;
    }
    if (packet->next) { // several that the device has joined
        struct pbuf *whole = pbuf_clone(PBUF_RAW, PBUF_RAM, packet);
        pbuf_free(packet);
        if (!whole)
            return;
        packet = whole;
    }
    struct bm_tcp_packet segment = {.bytes = packet->payload,
                                    .size = packet->len,
                                    .owner = packet,
                                    .congestion_experienced = congestion_experienced(),
                                    .interface = netif_get_index(ip_current_input_netif())};
    own_address_put(segment.tuple.local, ip_current_dest_addr());
    own_address_put(segment.tuple.remote, ip_current_src_addr());
    segment.tuple.zone = own_zone_of(ip_current_src_addr(), ip_current_input_netif());
    const struct tcp_hdr *header = packet->payload;
    segment.tuple.local_port = lwip_ntohs(header->dest);
    segment.tuple.remote_port = lwip_ntohs(header->src);
    if (!bm_tcp_input_predicted(own_shard, &segment))
        bm_tcp_input(own_shard, &segment);
    pbuf_free(packet);
    own_done();
}
