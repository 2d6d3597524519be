// Local ports: whether one may be bound, and one at random.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/ip.h"
#include "lwip/ip6_zone.h"

enum { FIRST = TCP_LOCAL_PORT_RANGE_START, COUNT = 0x10000 - FIRST };

static bool list_has(const struct tcp_pcb *pcb, u16_t port)
{
    while (pcb && pcb->local_port != port)
        pcb = pcb->next;
    return pcb;
}

// RFC 6056 section 3.3.1: the search begins at a random one.
u16_t own_port_new(void)
{
    static const uint8_t any[16];
    unsigned begin = bm_net_random() % COUNT;
    for (unsigned i = 0; i < COUNT; i++) {
        u16_t port = (u16_t)(FIRST + (begin + i) % COUNT);
        if (!list_has(tcp_bound_pcbs, port) && !list_has(tcp_listen_pcbs.pcbs, port) &&
            !bm_tcp_port_used(own_shard, any, port, true))
            return port;
    }
    return 0;
}

static bool collides(const struct tcp_pcb *pcb, const struct tcp_pcb *other, const ip_addr_t *address,
                     u16_t port)
{
    if (other->local_port != port ||
        (ip_get_option(pcb, SOF_REUSEADDR) && ip_get_option(other, SOF_REUSEADDR)))
        return false;
    return IP_IS_V6(address) == IP_IS_V6_VAL(other->local_ip) &&
           (ip_addr_isany(&other->local_ip) || ip_addr_isany(address) ||
            ip_addr_eq(&other->local_ip, address));
}

static bool is_used(const struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port)
{
    struct tcp_pcb *const lists[] = {tcp_listen_pcbs.pcbs, tcp_bound_pcbs, tcp_active_pcbs};
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct tcp_pcb *other = lists[i]; other; other = other->next)
            if (collides(pcb, other, address, port))
                return true;
    if (ip_get_option(pcb, SOF_REUSEADDR))
        return false;
    uint8_t local[16] = {0};
    if (!ip_addr_isany(address))
        own_address_put(local, address);
    return bm_tcp_port_used(own_shard, local, port, true);
}

err_t tcp_bind(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port)
{
    ip_addr_t zoned;
    BM_NET_ASSERT_LOCKED();
    if (!address)
        address = IP4_ADDR_ANY;
    if (!pcb)
        return ERR_ARG;
    if (pcb->state != CLOSED)
        return ERR_VAL;
    if (IP_IS_V6(address) && ip6_addr_lacks_zone(ip_2_ip6(address), IP6_UNICAST)) {
        ip_addr_copy(zoned, *address);
        ip6_addr_select_zone(ip_2_ip6(&zoned), ip_2_ip6(&zoned));
        address = &zoned;
    }
    if (port == 0 && !(port = own_port_new()))
        return ERR_BUF;
    else if (is_used(pcb, address, port))
        return ERR_USE;
    if (!ip_addr_isany(address) || IP_GET_TYPE(address) != IP_GET_TYPE(&pcb->local_ip))
        ip_addr_set(&pcb->local_ip, address);
    pcb->local_port = port;
    own_list_remove(pcb);
    own_list_add(&tcp_bound_pcbs, pcb);
    return ERR_OK;
}

void tcp_bind_netif(struct tcp_pcb *pcb, const struct netif *netif)
{
    BM_NET_ASSERT_LOCKED();
    pcb->netif_idx = netif ? netif_get_index(netif) : NETIF_NO_INDEX;
}
