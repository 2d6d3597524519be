// Whether the machine has an address, and waiting for one.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

#include "lwip/ip_addr.h"

struct netif;

// start.c: whether the machine has an address that others can reach, or may still get one.
bool bm_net_expected(void);

// wait.c: the netif's address that others can reach; NULL when it has none. Under the core lock.
const ip_addr_t *bm_net_address_of(const struct netif *netif);

// wait.c: gives DHCP or SLAAC some seconds before a program is told that there is no network.
void bm_net_settle(void);
bool bm_net_settled(void);
