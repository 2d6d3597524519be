// Stand-in for lwIP.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/pbuf.h>

enum { SIZEOF_ETH_HDR = 14 };

struct eth_hdr {
    u8_t bytes[SIZEOF_ETH_HDR];
};
