// Parts of lwIP that only programs which use them link: raw sockets, DNS, IGMP.
// SPDX-License-Identifier: MIT
//
// lwIP's core calls them by names that CMakeLists.txt gives to functions of parts.c, which call the part when
// it is there. What a program calls to use a part pulls part_raw.c, part_dns.c or part_igmp.c in, and with it
// the part.
#pragma once

#include <stdbool.h>

#include "lwip/igmp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/raw_priv.h"

#define BM_NET_PART __attribute__((weak))

BM_NET_PART raw_input_state_t bm_net_part_raw_input(struct pbuf *packet, struct netif *netif);
BM_NET_PART void bm_net_part_raw_address(const ip_addr_t *before, const ip_addr_t *after);
BM_NET_PART void bm_net_part_dns_start(void);
BM_NET_PART void bm_net_part_dns_tick(void);

struct bm_net_part_igmp {
    void (*start)(void);
    void (*tick)(void);
    err_t (*add)(struct netif *netif);
    err_t (*remove)(struct netif *netif);
    void (*report)(struct netif *netif);
    struct igmp_group *(*look)(struct netif *netif, const ip4_addr_t *group);
    void (*input)(struct pbuf *packet, struct netif *netif, const ip4_addr_t *destination);
};
BM_NET_PART extern const struct bm_net_part_igmp bm_net_part_igmp;

// A raw socket was opened, which wants to see each packet.
extern bool bm_net_raw_used;

// parts.c: what lwIP's core calls.
raw_input_state_t bm_net_raw_input(struct pbuf *packet, struct netif *netif);
void bm_net_raw_address(const ip_addr_t *before, const ip_addr_t *after);
void bm_net_dns_start(void);
void bm_net_dns_tick(void);
void bm_net_igmp_start(void);
void bm_net_igmp_tick(void);
err_t bm_net_igmp_add(struct netif *netif);
err_t bm_net_igmp_remove(struct netif *netif);
void bm_net_igmp_report(struct netif *netif);
struct igmp_group *bm_net_igmp_look(struct netif *netif, const ip4_addr_t *group);
void bm_net_igmp_input(struct pbuf *packet, struct netif *netif, const ip4_addr_t *destination);
