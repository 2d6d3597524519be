// Routes of IPv4 beside the interfaces' networks and gateways: those of the command line and of DHCP.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

struct netif;

// In network byte order; gateway 0: on the link.
struct bm_net_route {
    uint32_t destination, netmask, gateway;
};

// Under the core lock. The routes of that interface from now on; netif NULL: those of the command line, which
// leave by the interface in whose network their gateway is. Returns how many of them there is room for.
unsigned bm_net_routes_set(struct netif *netif, const struct bm_net_route *routes, unsigned count);

// Under the core lock. Copies at most `count` routes that leave by an interface; returns how many.
unsigned bm_net_routes_get(const struct netif *netif, struct bm_net_route *to, unsigned count);
