// Receive buffers in the checked build: a word behind the header of each says whether it is given out.
// SPDX-License-Identifier: MIT
//
// Under the pool's lock.
#pragma once

#include <baremetal/netdev.h>

// A buffer is new in its pool, is given out, comes back: once, to the pool that it came from, and nobody
// writes to it while it lies there.
void bm_check_packet_made(struct bm_packet *packet);
void bm_check_packet_given(struct bm_packet *packet, const struct bm_packet_pool *pool);
void bm_check_packet_back(struct bm_packet *packet, const void *caller);
