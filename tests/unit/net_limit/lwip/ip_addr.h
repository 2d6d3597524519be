// Stand-in for lwIP: addresses, for files of net/ that know no more of it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8_t;
typedef uint16_t u16_t;
typedef uint32_t u32_t;
typedef int32_t s32_t;

typedef struct {
    u32_t addr[4];
    u8_t type;
} ip_addr_t, ip4_addr_t, ip6_addr_t;
typedef signed char err_t;
enum { ERR_OK = 0 };
struct netif;
struct pbuf;
struct tcp_pcb;

enum { IPADDR_TYPE_V6 = 6 };
#define IP_IS_V6(address)              ((address)->type == IPADDR_TYPE_V6)
#define IP_SET_TYPE_VAL(address, kind) ((address).type = (kind))
#define ip_2_ip4(address)              (address)
#define ip_2_ip6(address)              (address)
#define ip_addr_eq(one, other)         (memcmp(one, other, sizeof(ip_addr_t)) == 0)
#define LWIP_MIN(one, other)           ((one) < (other) ? (one) : (other))

static inline bool ip_addr_isany(const ip_addr_t *address)
{
    const u32_t none[4] = {0};
    return !address || memcmp(address->addr, none, sizeof none) == 0;
}
