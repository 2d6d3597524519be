// DHCPv6's client (RFC 8415): what a router's advertisement tells the machine to ask for.
// SPDX-License-Identifier: MIT
#pragma once

#include "../lwip/timer.h"
#include "dhcp6_message.h"

struct bm_net_interface;

enum bm_net_dhcp6_state {
    DHCP6_OFF,
    DHCP6_INFORMING, // servers' names only
    DHCP6_INFORMED,
    DHCP6_SOLICITING,
    DHCP6_REQUESTING,
    DHCP6_BOUND // and renewing and rebinding, as the time tells
};

struct bm_net_dhcp6 {
    struct bm_net_timer timer;
    uint64_t started;     // of the exchange under way: milliseconds since boot, as all times below
    uint64_t t1, t2, end; // of the address
    uint32_t timeout;     // the last one of the exchange, 0: none yet
    uint32_t xid, solicit_max, information_max;
    uint8_t state, tries, preference, failures; // refusals since an address was given
    bool renews;                                // an answer to RENEW or REBIND is waited for
    uint8_t address[16];
    struct bm_dhcp6_server server;
};

// Linked by baremetal::dhcp6.
struct bm_net_part_dhcp6 {
    void (*advice)(struct bm_net_interface *interface, bool addresses, bool others);
    void (*link_up)(struct bm_net_interface *interface);
};
extern const struct bm_net_part_dhcp6 bm_net_part_dhcp6 __attribute__((weak));

// part_dhcp6.c: the link came up, for the client if it is there. Under the core lock.
void bm_net_dhcp6_link_up(struct bm_net_interface *interface);
