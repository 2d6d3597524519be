// Raw sockets: what opens one, and with it what lwIP's core calls for them.
// SPDX-License-Identifier: MIT
#include "parts.h"

// lwIP's own functions of the names that are here.
struct raw_pcb *bm_net_lwip_raw_new(u8_t protocol);
struct raw_pcb *bm_net_lwip_raw_new_ip_type(u8_t type, u8_t protocol);

struct raw_pcb *raw_new(u8_t protocol)
{
    bm_net_raw_used = true;
    return bm_net_lwip_raw_new(protocol);
}

struct raw_pcb *raw_new_ip_type(u8_t type, u8_t protocol)
{
    bm_net_raw_used = true;
    return bm_net_lwip_raw_new_ip_type(type, protocol);
}

raw_input_state_t bm_net_part_raw_input(struct pbuf *packet, struct netif *netif)
{
    return raw_input(packet, netif);
}

void bm_net_part_raw_address(const ip_addr_t *before, const ip_addr_t *after)
{
    raw_netif_ip_addr_changed(before, after);
}
