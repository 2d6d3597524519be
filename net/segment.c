// A look at TCP segments before lwIP searches their connection.
// SPDX-License-Identifier: MIT
#include "segment.h"

#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/ip.h"
#include "lwip/prot/tcp.h"
#include "lwip/tcp.h"

static bool is_address(const ip_addr_t *address, const u8_t *bytes, bool is_ip6)
{
    if (is_ip6)
        return IP_IS_V6(address) && memcmp(ip_2_ip6(address)->addr, bytes, 16) == 0;
    u32_t word;
    memcpy(&word, bytes, sizeof word);
    return IP_IS_V4(address) && ip4_addr_get_u32(ip_2_ip4(address)) == word;
}

bool bm_net_segment_matches(const struct bm_net_segment *segment, const struct tcp_pcb *connection)
{
    return connection->remote_port == segment->remote_port && connection->local_port == segment->local_port &&
           is_address(&connection->remote_ip, segment->source, segment->is_ip6) &&
           is_address(&connection->local_ip, segment->destination, segment->is_ip6);
}

static void segment_input(struct bm_net_segment *segment, const struct tcp_hdr *header)
{
    segment->remote_port = lwip_ntohs(header->src);
    segment->local_port = lwip_ntohs(header->dest);
    segment->sequence = lwip_ntohl(header->seqno);
    if ((TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
        bm_net_time_wait_reuse(segment);
    else
        bm_net_tcp_lookup(segment);
}

int bm_net_ip4_input(struct pbuf *packet, struct netif *netif)
{
    (void)netif;
    const struct ip_hdr *ip = packet->payload;
    if (packet->len < IP_HLEN + TCP_HLEN || IPH_PROTO(ip) != IP_PROTO_TCP)
        return 0;
    u16_t header = IPH_HL_BYTES(ip);
    if (header < IP_HLEN || packet->len < header + TCP_HLEN || (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK)) != 0)
        return 0;
    struct bm_net_segment segment = {.source = (const u8_t *)&ip->src,
                                     .destination = (const u8_t *)&ip->dest};
    segment_input(&segment, (const struct tcp_hdr *)((const u8_t *)ip + header));
    return 0;
}

int bm_net_ip6_input(struct pbuf *packet, struct netif *netif)
{
    (void)netif;
    const struct ip6_hdr *ip = packet->payload;
    if (packet->len < IP6_HLEN + TCP_HLEN || IP6H_NEXTH(ip) != IP6_NEXTH_TCP)
        return 0;
    struct bm_net_segment segment = {
        .source = (const u8_t *)&ip->src, .destination = (const u8_t *)&ip->dest, .is_ip6 = true};
    segment_input(&segment, (const struct tcp_hdr *)((const u8_t *)ip + IP6_HLEN));
    return 0;
}
