// Addresses as the engine has them, and as lwIP has them; what the way to one has room for.
// SPDX-License-Identifier: MIT
#include "own.h"

#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"

enum { MAPPED = 12 }; // bytes in front of an IPv4 address (RFC 4291 section 2.5.5.2)

static const uint8_t mapped[MAPPED] = {[10] = 0xff, [11] = 0xff};

void own_address_put(uint8_t to[16], const ip_addr_t *address)
{
    if (IP_IS_V6(address)) {
        memcpy(to, ip_2_ip6(address)->addr, 16);
        return;
    }
    memcpy(to, mapped, MAPPED);
    memcpy(to + MAPPED, ip_2_ip4(address), 4);
}

void own_address_get(ip_addr_t *to, const uint8_t from[16], uint16_t zone)
{
    memset(to, 0, sizeof *to);
    if (bm_tcp_is_mapped(from)) {
        memcpy(ip_2_ip4(to), from + MAPPED, 4);
        IP_SET_TYPE(to, IPADDR_TYPE_V4);
        return;
    }
    memcpy(ip_2_ip6(to)->addr, from, 16);
    IP_SET_TYPE(to, IPADDR_TYPE_V6);
    if (zone && ip6_addr_has_scope(ip_2_ip6(to), IP6_UNICAST))
        ip6_addr_set_zone(ip_2_ip6(to), (u8_t)zone);
}

uint16_t own_zone_of(const ip_addr_t *remote, const struct netif *netif)
{
    return IP_IS_V6(remote) && netif && ip6_addr_has_scope(ip_2_ip6(remote), IP6_UNICAST)
               ? netif_get_index(netif)
               : 0;
}

// An interface without an MTU, as the loopback, takes what the largest one does.
uint16_t own_mss(const struct netif *netif, const ip_addr_t *remote)
{
    unsigned mtu = netif ? netif->mtu : 0, headers = IP_HLEN + TCP_HLEN;
    if (IP_IS_V6(remote)) {
        headers = IP6_HLEN + TCP_HLEN;
        if (netif)
            mtu = nd6_get_destination_mtu(ip_2_ip6(remote), (struct netif *)(uintptr_t)netif);
    }
    if (!mtu)
        return bm_net_mss;
    return (uint16_t)LWIP_MIN(bm_net_mss, mtu > headers ? mtu - headers : 0);
}
