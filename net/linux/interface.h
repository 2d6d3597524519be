// What Linux tells of an interface of lwIP's, for ioctl and netlink. Under the core lock.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct netif;

bool bm_net_interface_is_loopback(const struct netif *netif);
int bm_net_interface_flags(const struct netif *netif);     // IFF_…
uint16_t bm_net_interface_type(const struct netif *netif); // ARPHRD_…
uint32_t bm_net_interface_mtu_of(const struct netif *netif);
