// A look at IP packets before lwIP processes them: some start a timer, some say that a datagram was refused.
// SPDX-License-Identifier: MIT
#include "refused.h"
#include "timer.h"

#include "arch/bm_hooks.h"
#include "lwip/ip.h"

int bm_net_ip4_input(struct pbuf *packet, struct netif *netif)
{
    const struct ip_hdr *ip = packet->payload;
    if (packet->len >= IP_HLEN && IPH_PROTO(ip) == IP_PROTO_IGMP)
        bm_net_timers_look();
    if (bm_net_refused4 && packet->len >= IP_HLEN && IPH_PROTO(ip) == IP_PROTO_ICMP)
        bm_net_refused4(packet, netif);
    return 0;
}

int bm_net_ip6_input(struct pbuf *packet, struct netif *netif)
{
    const struct ip6_hdr *ip = packet->payload;
    if (packet->len >= IP6_HLEN && IP6H_NEXTH(ip) == IP6_NEXTH_HOPBYHOP) // RFC 2710: those of MLD
        bm_net_timers_look();
    if (bm_net_refused6 && packet->len >= IP6_HLEN && IP6H_NEXTH(ip) == IP6_NEXTH_ICMP6)
        bm_net_refused6(packet, netif);
    return 0;
}
