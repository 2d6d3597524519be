// Receive buffers in the checked build: given back once, to their pool, and not touched while they lie there.
// SPDX-License-Identifier: MIT
#include "packet.h"

#include "check.h"

#include <baremetal/memory.h>

enum { FREE = 0x66726565, OUT = 0x6f757421 }; // "free", "out!"

_Static_assert(sizeof(struct bm_packet) + 4 <= BM_PACKET_DATA_OFFSET - BM_NETDEV_HEADROOM,
               "there is room for a word behind the header");

// Behind the header, in front of what a driver may write.
static uint32_t *state_of(struct bm_packet *packet)
{
    return (uint32_t *)(packet + 1);
}

static char *contents(const struct bm_packet *packet)
{
    return (char *)packet + BM_PACKET_DATA_OFFSET;
}

void bm_check_packet_made(struct bm_packet *packet)
{
    *state_of(packet) = FREE;
    bm_check_poison(contents(packet), BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET);
}

void bm_check_packet_given(struct bm_packet *packet, const struct bm_packet_pool *pool)
{
    BM_ASSERT_HERE(*state_of(packet) == FREE && packet->pool == pool,
                   "a packet was written to after it had been given back");
    BM_ASSERT_HERE(bm_check_poisoned(contents(packet), BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET),
                   "a packet was written to after it had been given back");
    *state_of(packet) = OUT;
}

void bm_check_packet_back(struct bm_packet *packet, const void *caller)
{
    static const char name[] = "bm_packet_free";
    BM_ASSERT_OF(name, (uintptr_t)packet % BM_PACKET_SIZE == 0, "only packets of a pool may be given back",
                 caller);
    BM_ASSERT_OF(name, *state_of(packet) != FREE, "the packet is free already", caller);
    BM_ASSERT_OF(name, *state_of(packet) == OUT && packet->dma == bm_dma_address(packet),
                 "only packets of a pool may be given back", caller);
    *state_of(packet) = FREE;
    bm_check_poison(contents(packet), BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET);
}
