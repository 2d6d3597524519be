// Whether the machine has an address, and waiting for one.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

// start.c: whether the machine has an address that others can reach, or may still get one.
bool bm_net_expected(void);

// wait.c: gives DHCP or SLAAC some seconds before a program is told that there is no network.
void bm_net_settle(void);
bool bm_net_settled(void);
