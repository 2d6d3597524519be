// Datagrams that nobody at their destination takes (refused.c): linked by who tells programs of them.
// SPDX-License-Identifier: MIT
#pragma once

struct pbuf;
struct netif;

extern const char bm_net_refused_linked;

// A packet of ICMP has come, whole, from the IP header on. Under the core lock.
void bm_net_refused4(struct pbuf *packet, struct netif *netif) __attribute__((weak));
void bm_net_refused6(struct pbuf *packet, struct netif *netif) __attribute__((weak));

// The error of a socket of datagrams has been told: it is ready for errors no more, unless there is another
// one.
void bm_net_refused_told(int number) __attribute__((weak));
