// Stand-in for lwIP: see pbuf.h beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/pbuf.h>

struct netif {
    int unused;
};
