// Datagrams that nobody at their destination takes (refused.c): linked by who tells programs of them.
// SPDX-License-Identifier: MIT
#pragma once

struct pbuf;
struct netif;

extern const char bm_net_refused_linked;

// ip_input.c: what is looked at in any case.
void bm_net_ip4_look(const struct pbuf *packet);
void bm_net_ip6_look(const struct pbuf *packet);

// The error of a socket of datagrams has been told: it is ready for errors no more, unless there is another
// one.
void bm_net_refused_told(int number) __attribute__((weak));
