// What lwIP writes out in many places, as calls: lwIP's own files are compiled with this in front of them.
// SPDX-License-Identifier: MIT
#pragma once

#include "lwip/opt.h"

#include "lwip/ip6_zone.h"
#include "lwip/ip_addr.h"
#include "lwip/netif.h"

void bm_net_zone_assign(ip6_addr_t *address, enum lwip_ipv6_scope_type type, const struct netif *netif);
int bm_net_ip6_equal(const ip6_addr_t *one, const ip6_addr_t *other);
int bm_net_ip6_is_any(const void *address); // also one in a header, which has no zone
int bm_net_ip6_net_equal(const ip6_addr_t *one, const ip6_addr_t *other);
int bm_net_ip6_lacks_zone(const ip6_addr_t *address, enum lwip_ipv6_scope_type type);
void bm_net_ip6_set(ip6_addr_t *to, const ip6_addr_t *from); // from may be NULL
int bm_net_ip_equal(const ip_addr_t *one, const ip_addr_t *other);
int bm_net_ip_is_any(const ip_addr_t *address);
void bm_net_ip_copy(ip_addr_t *to, const ip_addr_t *from);

#ifndef BM_NET_CALLS
#undef ip6_addr_assign_zone
#define ip6_addr_assign_zone(address, type, netif) bm_net_zone_assign(address, type, netif)
#undef ip6_addr_eq
#define ip6_addr_eq(one, other) bm_net_ip6_equal(one, other)
#undef ip6_addr_isany
#define ip6_addr_isany(address) bm_net_ip6_is_any(address)
#undef ip_addr_eq
#define ip_addr_eq(one, other) bm_net_ip_equal(one, other)
#undef ip_addr_isany
#define ip_addr_isany(address) bm_net_ip_is_any(address)
#undef ip_addr_copy
#define ip_addr_copy(to, from) bm_net_ip_copy(&(to), &(from))
#undef ip6_addr_copy
#define ip6_addr_copy(to, from) ((to) = (from))
#undef ip6_addr_copy_from_packed
#define ip6_addr_copy_from_packed(to, from) (__builtin_memcpy(&(to), &(from), 16), ip6_addr_clear_zone(&(to)))
#undef ip6_addr_copy_to_packed
#define ip6_addr_copy_to_packed(to, from) ((void)__builtin_memcpy(&(to), &(from), 16))
#undef ip6_addr_set_zero
#define ip6_addr_set_zero(address) (*(address) = (ip6_addr_t){0})
#undef ip6_addr_set
#define ip6_addr_set(to, from) bm_net_ip6_set(to, from)
#undef ip6_addr_net_eq
#define ip6_addr_net_eq(one, other) bm_net_ip6_net_equal(one, other)
#undef ip6_addr_lacks_zone
#define ip6_addr_lacks_zone(address, type) bm_net_ip6_lacks_zone(address, type)
#undef ip_addr_isany_val
#define ip_addr_isany_val(address) bm_net_ip_is_any(&(address))
#endif
