// Pools of receive buffers, which network devices fill and the network stack gives back.
// SPDX-License-Identifier: MIT
// @optimize balance
#include "../check/packet.h"
#include "../wait/halt.h"

#include <baremetal/assert.h>
#include <baremetal/compiler.h>
#include <baremetal/cpu.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/netdev.h>
#include <baremetal/wait.h>

enum {
    BM_PACKET_CHUNK_ORDER = 4,    // buffers are carved from blocks of up to 2^4 pages
    BM_PACKET_HELD_MAX = 256,     // buffers that the stack may hold before it copies
    BM_PACKET_POOL_ALIGNMENT = 64 // no other core's data in its cache line
};

static inline unsigned bm_packets_of(unsigned order)
{
    return (BM_PAGE_SIZE << order) / BM_PACKET_SIZE;
}

// Pool and buffers are never given back.
struct bm_packet_pool {
    struct bm_spinlock lock;
    struct bm_packet *free;  // most recently used first: its lines are still in the cache
    unsigned min, made, max; // buffers for the device's queue, carved so far, and at most
    atomic_uint out;         // given out: with the device or the stack
    bool starved; // somebody went away without a buffer; its core is to be woken when one comes back
    unsigned starved_core;
};

_Static_assert(sizeof(struct bm_packet) <= BM_PACKET_DATA_OFFSET, "header overlaps the data");
_Static_assert(BM_PAGE_SIZE % BM_PACKET_SIZE == 0, "buffers must not straddle pages");

// Carves one more block into buffers: the largest that memory still has and the limit allows. Under the lock.
// Returns whether it did.
static bool bm_packet_pool_grow(struct bm_packet_pool *pool)
{
    unsigned order = BM_PACKET_CHUNK_ORDER;
    while (order > 0 && pool->made + bm_packets_of(order) > pool->max)
        order--;
    if (pool->made + bm_packets_of(order) > pool->max)
        return false;
    unsigned char *block;
    while (!(block = bm_frame_allocate(order)))
        if (order-- == 0)
            return false;
    uint64_t dma = bm_dma_address(block);
    for (unsigned i = 0; i < bm_packets_of(order); i++) {
        struct bm_packet *packet = (struct bm_packet *)(block + i * BM_PACKET_SIZE);
        packet->pool = pool;
        packet->dma = dma + i * BM_PACKET_SIZE;
        packet->next = pool->free;
        BM_CHECK(bm_check_packet_made(packet));
        pool->free = packet;
    }
    pool->made += bm_packets_of(order);
    return true;
}

struct bm_packet_pool *bm_packet_pool_create(unsigned min, unsigned max)
{
    struct bm_packet_pool *pool = bm_memory_permanent(sizeof *pool, BM_PACKET_POOL_ALIGNMENT);
    if (!pool)
        return NULL;
    pool->min = min;
    pool->max = max;
    while (pool->made < min)
        if (!bm_packet_pool_grow(pool))
            break;
    return pool->made ? pool : NULL;
}

// Under the lock, so that nothing has to be atomic but for those who only look.
static void out_add(struct bm_packet_pool *pool, unsigned count)
{
    unsigned out = atomic_load_explicit(&pool->out, memory_order_relaxed);
    atomic_store_explicit(&pool->out, out + count, memory_order_relaxed);
}

bool bm_packet_pool_scarce(const struct bm_packet_pool *pool)
{
    return atomic_load_explicit(&pool->out, memory_order_relaxed) > pool->min + BM_PACKET_HELD_MAX;
}

BM_HOT struct bm_packet *bm_packet_allocate(struct bm_packet_pool *pool, unsigned count)
{
    struct bm_packet *first = NULL, **link = &first;
    unsigned given = 0;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(pool && pool->made, "packets come from a pool that bm_packet_pool_create returned");
    bm_spinlock_acquire_inline(&pool->lock);
    for (; given < count; given++) {
        struct bm_packet *packet = pool->free;
        if (BM_UNLIKELY(!packet)) {
            if (bm_packet_pool_grow(pool)) {
                packet = pool->free;
            } else {
                pool->starved = true;
                pool->starved_core = bm_core_id();
                break;
            }
        }
        BM_CHECK(bm_check_packet_given(packet, pool));
        pool->free = packet->next;
        *link = packet;
        link = &packet->next;
    }
    *link = NULL;
    out_add(pool, given);
    bm_spinlock_release(&pool->lock);
    return first;
}

BM_HOT void bm_packet_free(struct bm_packet *packet)
{
    struct bm_packet_pool *pool = packet->pool;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire_inline(&pool->lock);
    BM_CHECK(bm_check_packet_back(packet, __builtin_return_address(0)));
    packet->next = pool->free;
    pool->free = packet;
    out_add(pool, -1u);
    bool starved = pool->starved;
    unsigned core = pool->starved_core;
    pool->starved = false;
    bm_spinlock_release(&pool->lock);
    // The driver that found the pool empty left descriptors without buffers: its core must look again, or a
    // halted core never would.
    if (BM_UNLIKELY(starved)) {
        bm_core_wake(core);
        if (bm_wait_interrupted) // that core may do other work by now
            bm_wait_interrupted();
    }
}
