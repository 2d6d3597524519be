// Addresses of sockets: their sizes, whether they are this machine's, and which ones a socket has.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../start/wait.h"
#include "socket.h"

#include <baremetal/error.h>
#include <string.h>

#include "lwip/netif.h"
#include "lwip/sockets.h"

_Static_assert(sizeof(struct bm_socket_address4) == sizeof(struct sockaddr_in) &&
                   sizeof(struct bm_socket_address6) == sizeof(struct sockaddr_in6),
               "lwIP's sockets have the same addresses");

uint32_t bm_socket_address_size(const union bm_socket_address *address)
{
    return address->family == BM_AF_INET ? sizeof address->ip4 : sizeof address->ip6;
}

static bool is_local4(uint32_t address)
{
    bool local = address == INADDR_ANY || (ntohl(address) >> 24) == 127 || IN_MULTICAST(ntohl(address)) ||
                 address == INADDR_BROADCAST;
    bm_net_lock();
    for (struct netif *netif = netif_list; netif && !local; netif = netif->next)
        local = ip4_addr_get_u32(netif_ip4_addr(netif)) == address;
    bm_net_unlock();
    return local;
}

static bool is_local6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_MULTICAST(address))
        return true;
    if (IN6_IS_ADDR_V4MAPPED(address))
        return is_local4(address->s6_addr32[3]);
    bool local = false;
    bm_net_lock();
    for (struct netif *netif = netif_list; netif && !local; netif = netif->next)
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
            local = local || (!ip6_addr_isinvalid(netif_ip6_addr_state(netif, i)) &&
                              memcmp(netif_ip6_addr(netif, i)->addr, address, sizeof *address) == 0);
    bm_net_unlock();
    return local;
}

bool bm_socket_is_local(const union bm_socket_address *address)
{
    return address->family == BM_AF_INET
               ? is_local4(address->ip4.address)
               : is_local6((const struct in6_addr *)(const void *)address->ip6.address);
}

union bm_socket_address bm_socket_destination(const union bm_socket_address *address)
{
    union bm_socket_address there = {.family = 0};
    memcpy(&there, address, bm_socket_address_size(address));
    struct in6_addr *ip6 = (struct in6_addr *)(void *)there.ip6.address;
    if (there.family == BM_AF_INET) {
        if (there.ip4.address == INADDR_ANY)
            there.ip4.address = htonl(INADDR_LOOPBACK);
    } else if (IN6_IS_ADDR_UNSPECIFIED(ip6)) {
        there.ip6.address[15] = 1;
    } else if (IN6_IS_ADDR_V4MAPPED(ip6) && ip6->s6_addr32[3] == INADDR_ANY) {
        ip6->s6_addr32[3] = htonl(INADDR_LOOPBACK);
    }
    return there;
}

void bm_socket_settle(const union bm_socket_address *address)
{
    if (!bm_net_settled() && !bm_socket_is_local(address))
        bm_net_settle();
}

int bm_socket_name(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size)
{
    BM_SOCKET_ASSERT(socket);
    if (!address || !size)
        return -BM_EINVAL;
    return lwip_getsockname(socket->number, (struct sockaddr *)address, size) == 0
               ? 0
               : bm_socket_failure(socket);
}

int bm_socket_peer(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size)
{
    BM_SOCKET_ASSERT(socket);
    if (!address || !size)
        return -BM_EINVAL;
    return lwip_getpeername(socket->number, (struct sockaddr *)address, size) == 0
               ? 0
               : bm_socket_failure(socket);
}
