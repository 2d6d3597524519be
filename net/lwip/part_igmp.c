// Groups of IPv4 multicast: what joins one, and with it what lwIP's core calls for them.
// SPDX-License-Identifier: MIT
#include "parts.h"

// lwIP's own functions of the names that are here.
err_t bm_net_lwip_joingroup(const ip4_addr_t *address, const ip4_addr_t *group);
err_t bm_net_lwip_joingroup_netif(struct netif *netif, const ip4_addr_t *group);

err_t igmp_joingroup(const ip4_addr_t *address, const ip4_addr_t *group)
{
    return bm_net_lwip_joingroup(address, group);
}

err_t igmp_joingroup_netif(struct netif *netif, const ip4_addr_t *group)
{
    return bm_net_lwip_joingroup_netif(netif, group);
}

const struct bm_net_part_igmp bm_net_part_igmp = {
    .start = igmp_init,
    .tick = igmp_tmr,
    .add = igmp_start,
    .remove = igmp_stop,
    .report = igmp_report_groups,
    .look = igmp_lookfor_group,
    .input = igmp_input,
};
