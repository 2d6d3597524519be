// What the checked build asserts of the network's lock.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/assert.h>
#include <stdbool.h>

// device/lock.c: whether this core holds it.
bool bm_net_locked_here(void);

#define BM_NET_ASSERT_LOCKED() BM_ASSERT(bm_net_locked_here(), "the network's lock must be held")
