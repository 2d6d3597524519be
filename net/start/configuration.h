// An interface with what the command line and the network say of its addresses.
// SPDX-License-Identifier: MIT
#pragma once

#include "../device/interface.h"
#include "dhcp.h"
#include "dhcp6.h"
#include "option.h"

struct bm_net_configuration {
    struct bm_net_interface interface; // first
    struct bm_net_ip ip;               // what the command line says
    ip6_addr_t gateway6;               // of the command line
    struct bm_net_dhcp dhcp;
    struct bm_net_dhcp6 dhcp6;
};

// That of an interface which start.c or words.c has added, as all are.
static inline struct bm_net_configuration *bm_net_configuration_of(struct bm_net_interface *interface)
{
    return (struct bm_net_configuration *)interface;
}
