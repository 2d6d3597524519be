// A look at TCP segments before lwIP searches their connection.
// SPDX-License-Identifier: MIT
#include "segment.h"
#include "timer.h"

#include "arch/bm_hooks.h"
#include "lwip/ip.h"
#include "lwip/prot/tcp.h"

static void segment_input(struct bm_net_segment *segment, const struct tcp_hdr *header)
{
    segment->remote_port = lwip_ntohs(header->src);
    segment->local_port = lwip_ntohs(header->dest);
    segment->sequence = lwip_ntohl(header->seqno);
    if ((TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN) {
        bm_net_tcp_lookup(segment);
    } else {
        bm_net_time_wait_reuse(segment);
        bm_net_backlog_make_room(segment->local_port);
    }
}

int bm_net_ip4_input(struct pbuf *packet, struct netif *netif)
{
    (void)netif;
    const struct ip_hdr *ip = packet->payload;
    if (packet->len < IP_HLEN + TCP_HLEN || IPH_PROTO(ip) != IP_PROTO_TCP) {
        if (packet->len >= IP_HLEN && IPH_PROTO(ip) == IP_PROTO_IGMP)
            bm_net_timers_look();
        return 0;
    }
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
    if (packet->len < IP6_HLEN + TCP_HLEN || IP6H_NEXTH(ip) != IP6_NEXTH_TCP) {
        if (packet->len >= IP6_HLEN && IP6H_NEXTH(ip) == IP6_NEXTH_HOPBYHOP) // RFC 2710: those of MLD
            bm_net_timers_look();
        return 0;
    }
    struct bm_net_segment segment = {
        .source = (const u8_t *)&ip->src, .destination = (const u8_t *)&ip->dest, .is_ip6 = true};
    segment_input(&segment, (const struct tcp_hdr *)((const u8_t *)ip + IP6_HLEN));
    return 0;
}
