// Name servers.
// SPDX-License-Identifier: MIT
#pragma once

#include "option.h"

#include "lwip/ip_addr.h"

// The servers of the command line; nothing changes when count is 0. Under the core lock, as below.
void bm_net_dns_choose(const struct bm_net_address *servers, unsigned count);

// What DHCP or a router offers, instead of dns_setserver (arch/bm_hooks.h); NULL: takes back.
void bm_net_dns_learn(u8_t number, const ip_addr_t *server);
