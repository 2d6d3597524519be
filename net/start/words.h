// The words of the command line that are about interfaces.
// SPDX-License-Identifier: MIT
#pragma once

struct bm_net_interface;

// Under the core lock. Makes the VLANs, and writes what is said of each interface into it.
void bm_net_words_apply(void);
// Gives the interface the IPv6 address that was said.
void bm_net_ip6_static(struct bm_net_interface *interface);
