// Stand-in for lwIP: see ip_addr.h beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include "ip_addr.h"

u32_t sys_now(void);
uint32_t bm_net_random(void);
