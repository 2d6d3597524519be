// lwIP's socket layer with this project's POSIX types: internet addresses.
// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>

#include "lwip/def.h"
#include "lwip/ip6_addr.h"
#include "lwip/ip_addr.h"

#define SIN_ZERO_LEN 8

#define inet_addr_from_ip4addr(target, source) ((target)->s_addr = ip4_addr_get_u32(source))
#define inet_addr_to_ip4addr(target, source)   (ip4_addr_set_u32(target, (source)->s_addr))

#define inet6_addr_from_ip6addr(target, source)                                                              \
    do {                                                                                                     \
        (target)->s6_addr32[0] = (source)->addr[0];                                                          \
        (target)->s6_addr32[1] = (source)->addr[1];                                                          \
        (target)->s6_addr32[2] = (source)->addr[2];                                                          \
        (target)->s6_addr32[3] = (source)->addr[3];                                                          \
    } while (0)
#define inet6_addr_to_ip6addr(target, source)                                                                \
    do {                                                                                                     \
        (target)->addr[0] = (source)->s6_addr32[0];                                                          \
        (target)->addr[1] = (source)->s6_addr32[1];                                                          \
        (target)->addr[2] = (source)->s6_addr32[2];                                                          \
        (target)->addr[3] = (source)->s6_addr32[3];                                                          \
        ip6_addr_clear_zone(target);                                                                         \
    } while (0)
