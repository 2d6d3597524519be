// DHCP's client (RFC 2131): an address from a server, and what keeps it.
// SPDX-License-Identifier: MIT
#pragma once

#include "../lwip/timer.h"

struct bm_net_interface;

enum bm_net_dhcp_state {
    DHCP_OFF,
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_REBOOTING, // the link came back: is the address still right?
    DHCP_BOUND      // and renewing and rebinding, as the time tells
};

struct bm_net_dhcp {
    struct bm_net_timer timer;
    uint64_t started;     // of the exchange under way: milliseconds since boot, as all below
    uint64_t t1, t2, end; // of the lease
    uint32_t xid, server, address;
    uint8_t state;
    uint8_t tries;    // requests of this exchange so far
    uint8_t failures; // refusals since the last lease
};

// Under the core lock. Returns false when there is no memory.
bool bm_net_dhcp_start(struct bm_net_interface *interface);
void bm_net_dhcp_link_up(struct bm_net_interface *interface);
