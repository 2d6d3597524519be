// What is called where DHCPv6's client may have been left out.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "configuration.h"

#include <baremetal/log.h>

#include "arch/bm_hooks.h"

// A router's advertisement says whether DHCPv6 gives addresses, or other things (RFC 4861 section 4.2).
void bm_net_dhcp6_advice(struct netif *netif, bool addresses, bool others)
{
    static bool told;
    if (&bm_net_part_dhcp6) {
        bm_net_part_dhcp6.advice(netif->state, addresses, others);
    } else if (addresses && !told) {
        told = true;
        bm_log_info("net", "%s: the router has addresses by DHCPv6, for programs that link baremetal::dhcp6",
                    bm_net_interface_name(netif));
    }
}

void bm_net_dhcp6_link_up(struct bm_net_interface *interface)
{
    if (&bm_net_part_dhcp6)
        bm_net_part_dhcp6.link_up(interface);
}
