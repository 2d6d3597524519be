// What lwIP's core calls in place of those parts that a program may have left out.
// SPDX-License-Identifier: MIT
#include "parts.h"

bool bm_net_raw_used;

raw_input_state_t bm_net_raw_input(struct pbuf *packet, struct netif *netif)
{
    return bm_net_raw_used ? bm_net_part_raw_input(packet, netif) : RAW_INPUT_NONE;
}

void bm_net_raw_address(const ip_addr_t *before, const ip_addr_t *after)
{
    if (bm_net_part_raw_address)
        bm_net_part_raw_address(before, after);
}

void bm_net_dns_start(void)
{
    if (bm_net_part_dns_start)
        bm_net_part_dns_start();
}

void bm_net_dns_tick(void)
{
    if (bm_net_part_dns_tick)
        bm_net_part_dns_tick();
}

void bm_net_igmp_start(void)
{
    if (&bm_net_part_igmp)
        bm_net_part_igmp.start();
}

void bm_net_igmp_tick(void)
{
    if (&bm_net_part_igmp)
        bm_net_part_igmp.tick();
}

err_t bm_net_igmp_add(struct netif *netif)
{
    return &bm_net_part_igmp ? bm_net_part_igmp.add(netif) : ERR_OK;
}

err_t bm_net_igmp_remove(struct netif *netif)
{
    return &bm_net_part_igmp ? bm_net_part_igmp.remove(netif) : ERR_OK;
}

void bm_net_igmp_report(struct netif *netif)
{
    if (&bm_net_part_igmp)
        bm_net_part_igmp.report(netif);
}

struct igmp_group *bm_net_igmp_look(struct netif *netif, const ip4_addr_t *group)
{
    return &bm_net_part_igmp ? bm_net_part_igmp.look(netif, group) : NULL;
}

void bm_net_igmp_input(struct pbuf *packet, struct netif *netif, const ip4_addr_t *destination)
{
    if (&bm_net_part_igmp)
        bm_net_part_igmp.input(packet, netif, destination);
    else
        pbuf_free(packet);
}
