// Stand-in for lwIP: see pbuf.h beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/pbuf.h>

typedef struct {
    u32_t addr[4];
} ip6_addr_t;

struct netif {
    int unused;
};
