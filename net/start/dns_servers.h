// Name servers.
// SPDX-License-Identifier: MIT
#pragma once

#include "option.h"

#include "lwip/ip_addr.h"

// The servers of the command line; nothing changes when count is 0. Under the core lock, as below.
void bm_net_dns_choose(const struct bm_net_address *servers, unsigned count);

// What DHCP offers, instead of dns_setserver (arch/bm_hooks.h), a router for some seconds (0: no more); a
// second.
void bm_net_dns_learn(u8_t number, const ip_addr_t *server);
void bm_net_dns_router(const ip_addr_t *server, u32_t lifetime);
void bm_net_dns_age(void);
