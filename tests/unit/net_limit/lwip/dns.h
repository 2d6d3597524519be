// Stand-in for lwIP: see ip_addr.h beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include "ip_addr.h"

enum { DNS_MAX_SERVERS = 4 };
void dns_setserver(u8_t number, const ip_addr_t *server);
const ip_addr_t *dns_getserver(u8_t number);
