// TIME_WAIT: bounded, and no obstacle to a peer that comes back with the same port.
// SPDX-License-Identifier: MIT
#include "net.h"

#include "arch/bm_hooks.h"
#include "lwip/ip.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/tcp.h"

// Each costs memory and, for every SYN, a step in a list. A busy server forgets the oldest early, as every
// server does.
enum { TIME_WAIT_MAX = 256 };

void bm_net_time_wait_trim(void)
{
    struct tcp_pcb *connection = tcp_tw_pcbs; // newest first
    for (unsigned kept = 1; connection && kept < TIME_WAIT_MAX; kept++)
        connection = connection->next;
    while (connection && connection->next)
        tcp_abort(connection->next); // in this state it sends nothing
}

// RFC 1122 section 4.2.2.13 (a): a SYN beyond the old connection's last sequence number starts a new
// connection; lwIP would answer it with an acknowledgement or a reset of the old one.
static void time_wait_reuse(const struct tcp_hdr *header, const ip_addr_t *source,
                            const ip_addr_t *destination)
{
    u32_t sequence = lwip_ntohl(header->seqno);
    u16_t remote_port = lwip_ntohs(header->src), local_port = lwip_ntohs(header->dest);
    for (struct tcp_pcb *old = tcp_tw_pcbs; old; old = old->next) {
        if (old->remote_port != remote_port || old->local_port != local_port ||
            !ip_addr_eq(&old->remote_ip, source) || !ip_addr_eq(&old->local_ip, destination))
            continue;
        if (TCP_SEQ_GT(sequence, old->rcv_nxt))
            tcp_abort(old);
        return;
    }
}

static bool is_lone_syn(const struct tcp_hdr *header)
{
    return (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

int bm_net_ip4_input(struct pbuf *packet, struct netif *netif)
{
    (void)netif;
    const struct ip_hdr *ip = packet->payload;
    if (packet->len < IP_HLEN || IPH_PROTO(ip) != IP_PROTO_TCP)
        return 0;
    u16_t header_length = IPH_HL_BYTES(ip);
    if (header_length < IP_HLEN || packet->len < header_length + TCP_HLEN ||
        (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK)) != 0)
        return 0;
    const struct tcp_hdr *tcp = (const struct tcp_hdr *)((const u8_t *)ip + header_length);
    if (!is_lone_syn(tcp))
        return 0;
    ip_addr_t source, destination;
    ip_addr_copy_from_ip4(source, ip->src);
    ip_addr_copy_from_ip4(destination, ip->dest);
    time_wait_reuse(tcp, &source, &destination);
    return 0;
}

int bm_net_ip6_input(struct pbuf *packet, struct netif *netif)
{
    const struct ip6_hdr *ip = packet->payload;
    if (packet->len < IP6_HLEN + TCP_HLEN || IP6H_NEXTH(ip) != IP6_NEXTH_TCP)
        return 0;
    const struct tcp_hdr *tcp = (const struct tcp_hdr *)((const u8_t *)ip + IP6_HLEN);
    if (!is_lone_syn(tcp))
        return 0;
    ip_addr_t source, destination;
    ip_addr_copy_from_ip6_packed(source, ip->src);
    ip_addr_copy_from_ip6_packed(destination, ip->dest);
    ip6_addr_assign_zone(ip_2_ip6(&source), IP6_UNICAST, netif);
    ip6_addr_assign_zone(ip_2_ip6(&destination), IP6_UNICAST, netif);
    time_wait_reuse(tcp, &source, &destination);
    return 0;
}
