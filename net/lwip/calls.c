// What lwIP writes out in many places, once (arch/bm_calls.h).
// SPDX-License-Identifier: MIT
#define BM_NET_CALLS 1
#include "arch/bm_calls.h"

void bm_net_zone_assign(ip6_addr_t *address, enum lwip_ipv6_scope_type type, const struct netif *netif)
{
    ip6_addr_assign_zone(address, type, netif);
}

int bm_net_ip6_equal(const ip6_addr_t *one, const ip6_addr_t *other)
{
    return ip6_addr_eq(one, other);
}

int bm_net_ip6_is_any(const void *address)
{
    return ip6_addr_isany((const ip6_addr_t *)address);
}

int bm_net_ip6_net_equal(const ip6_addr_t *one, const ip6_addr_t *other)
{
    return ip6_addr_net_eq(one, other);
}

int bm_net_ip6_lacks_zone(const ip6_addr_t *address, enum lwip_ipv6_scope_type type)
{
    return ip6_addr_lacks_zone(address, type);
}

void bm_net_ip6_set(ip6_addr_t *to, const ip6_addr_t *from)
{
    *to = from ? *from : (ip6_addr_t){0};
}

int bm_net_ip_equal(const ip_addr_t *one, const ip_addr_t *other)
{
    return ip_addr_eq(one, other);
}

int bm_net_ip_is_any(const ip_addr_t *address)
{
    return ip_addr_isany(address);
}

void bm_net_ip_copy(ip_addr_t *to, const ip_addr_t *from)
{
    ip_addr_copy(*to, *from);
}
