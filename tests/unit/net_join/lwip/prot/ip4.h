// Stand-in for lwIP.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/pbuf.h>

struct ip_hdr {
    u8_t bytes[20];
};
