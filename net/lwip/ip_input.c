// A look at IP packets before lwIP processes them: some start a timer.
// SPDX-License-Identifier: MIT
//
// Weak: where refused.c is linked, it looks first, and then does the same.
#include "refused.h"
#include "timer.h"

#include "arch/bm_hooks.h"
#include "lwip/ip.h"

void bm_net_ip4_look(const struct pbuf *packet)
{
    const struct ip_hdr *ip = packet->payload;
    if (packet->len >= IP_HLEN && IPH_PROTO(ip) == IP_PROTO_IGMP)
        bm_net_timers_look();
}

void bm_net_ip6_look(const struct pbuf *packet)
{
    const struct ip6_hdr *ip = packet->payload;
    if (packet->len >= IP6_HLEN && IP6H_NEXTH(ip) == IP6_NEXTH_HOPBYHOP) // RFC 2710: those of MLD
        bm_net_timers_look();
}

__attribute__((weak)) int bm_net_ip4_input(struct pbuf *packet, struct netif *netif)
{
    (void)netif;
    bm_net_ip4_look(packet);
    return 0;
}

__attribute__((weak)) int bm_net_ip6_input(struct pbuf *packet, struct netif *netif)
{
    (void)netif;
    bm_net_ip6_look(packet);
    return 0;
}
